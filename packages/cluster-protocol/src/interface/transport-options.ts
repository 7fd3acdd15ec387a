import { milliseconds, seconds, type Duration } from '../base/index.js';
import type { SessionPeer } from '../network/index.js';
import {
  checkTuning,
  type CongestionControl,
  type SessionConfig,
  type SessionTuning,
} from '../session/index.js';

/** Silence is filled after this, so that NAT mappings and the knowledge of who is there stay fresh. */
const KEEP_ALIVE: Duration = seconds(15);

/** How the sessions of a program are, where not as by default. */
export interface TransportOptions {
  /** What decides how much may be in flight: `cubic` (RFC 9438) unless given, or `newReno` (RFC 9002). */
  readonly congestionControl?: CongestionControl | undefined;
  /**
   * In ms, 10 s to 1 h; 120 s unless given. Keys older than this are changed with the next data; a change costs four
   * packets. Each side goes by its own measure, and the stricter one decides.
   */
  readonly rekeyAfter?: number | undefined;
}

/** The options as sessions know them. Throws `INVALID_ARGUMENT` for what cannot be. */
export function tuningOf({ congestionControl, rekeyAfter }: TransportOptions): Partial<SessionTuning> {
  const tuning = {
    ...(congestionControl !== undefined && { congestionControl }),
    ...(rekeyAfter !== undefined && { rekeyAfter: milliseconds(rekeyAfter) }),
  };
  checkTuning(tuning);
  return tuning;
}

/** How the sessions of a member are. `accepting`: whether it takes streams now. Throws `INVALID_ARGUMENT`. */
export function memberSessions(
  tuning: Partial<SessionTuning>,
  accepting: () => boolean,
): (peer: SessionPeer) => Partial<SessionConfig> {
  checkTuning(tuning);
  return ({ kind }) => ({
    ...tuning,
    keepAlive: KEEP_ALIVE,
    // Where a path agent steers, the session itself stays where it is told to be.
    followPeer: kind === 'nmn',
    acceptStreams: () => kind === 'member' && accepting(),
  });
}
