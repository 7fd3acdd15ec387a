import { ClusterError, minutes, seconds, type Duration } from '../base/index.js';
import { CONGESTION_CONTROLS, type CongestionControl } from './congestion.js';

/** Keys younger than this are not changed for their age: a fresh exchange must stay rare beside what it protects. */
export const MIN_REKEY_AFTER: Duration = seconds(10);

/** Keys older than this are changed with the next traffic, whatever a node would save by keeping them. */
export const MAX_REKEY_AFTER: Duration = minutes(60);

/**
 * Packets after which keys are changed whatever their age. The cipher allows far more (docs/spec/02-handshake.md,
 * "Transport keys"); it bounds what a single key can lay open, to some 20 GB at 1,200 B.
 */
export const MAX_REKEY_PACKETS: number = 2 ** 24;

/** What whoever runs a node may choose for all of its sessions. */
export interface SessionTuning {
  /** What decides how much may be in flight on a path: CUBIC (RFC 9438), or NewReno (RFC 9002). */
  readonly congestionControl: CongestionControl;
  /**
   * Keys older than this are changed with the next application data that goes or comes; a quiet session keeps its keys.
   * 10 s to 1 h; long for nodes that pay for every packet.
   */
  readonly rekeyAfter: Duration;
  /** Keys are changed after so many packets sent, or received, under them. 1 to 2^24. */
  readonly rekeyAfterPackets: number;
}

/** Throws `INVALID_ARGUMENT` for what cannot be, with what can. What is absent is as by default. */
export function checkTuning({
  congestionControl,
  rekeyAfter,
  rekeyAfterPackets,
}: Partial<SessionTuning>): void {
  if (congestionControl !== undefined && !CONGESTION_CONTROLS.includes(congestionControl))
    throw new ClusterError(
      'INVALID_ARGUMENT',
      `congestionControl is ${congestionControl}; give ${CONGESTION_CONTROLS.join(' or ')}`,
    );
  if (rekeyAfter !== undefined && !(rekeyAfter >= MIN_REKEY_AFTER && rekeyAfter <= MAX_REKEY_AFTER))
    throw new ClusterError(
      'INVALID_ARGUMENT',
      `rekeyAfter is ${rekeyAfter} ms; give ${MIN_REKEY_AFTER} to ${MAX_REKEY_AFTER}`,
    );
  if (rekeyAfterPackets === undefined) return;
  const fits = rekeyAfterPackets >= 1 && rekeyAfterPackets <= MAX_REKEY_PACKETS;
  if (!Number.isInteger(rekeyAfterPackets) || !fits)
    throw new ClusterError(
      'INVALID_ARGUMENT',
      `rekeyAfterPackets is ${rekeyAfterPackets}; give 1 to ${MAX_REKEY_PACKETS}`,
    );
}
