import type { DropCounters, Duration, Instant, RandomSource } from '../base/index.js';
import { ClusterError, milliseconds, minutes, seconds } from '../base/index.js';
import type { AeadKey } from '../crypto/provider.js';
import { MAX_DATAGRAM, MAX_RECEIVED_DATAGRAM } from '../wire/index.js';
import type { RekeyNoise } from './rekey-noise.js';
import type { PathId } from './session-event.js';
import { checkTuning, MAX_REKEY_PACKETS, type SessionTuning } from './session-tuning.js';
import type { MessageMemory } from './message-memory.js';
import type { SessionTrace } from './session-trace.js';
import type { SizeFailure } from './size-failure.js';
import type { StreamMemory } from './stream-memory.js';

/** What may be tuned. Values the peers of one network may choose differently, each for itself. */
export interface SessionConfig extends SessionTuning {
  /** No datagram is larger, whatever a path carries: bytes of UDP payload, relay header included; 1200–65507. */
  readonly maxDatagram: number;
  /** Sends a ping when nothing was sent for so long; `undefined`: never. */
  readonly keepAlive: Duration | undefined;
  /** The session closes when something stays unacknowledged for so long. A quiet session lives on. */
  readonly idleTimeout: Duration;
  /** The longest wait before an ack (RFC 9000, section 18.2: max_ack_delay). */
  readonly ackDelay: Duration;
  /** Whether the session itself moves to the path where the peer sends, once that is validated. */
  readonly followPeer: boolean;
  /** Whether the peer may open streams, asked for each; if not, it is refused as soon as it is named. */
  readonly acceptStreams: () => boolean;
}

/** What holds where nothing else is asked for. */
export const DEFAULT_SESSION_CONFIG: SessionConfig = {
  maxDatagram: MAX_RECEIVED_DATAGRAM,
  keepAlive: undefined,
  idleTimeout: seconds(30),
  ackDelay: milliseconds(25),
  congestionControl: 'cubic',
  followPeer: true,
  acceptStreams: () => false,
  rekeyAfter: minutes(2),
  rekeyAfterPackets: MAX_REKEY_PACKETS,
};

/** What a session is made of, right after a handshake. */
export interface SessionOptions {
  readonly role: 'initiator' | 'responder';
  /** Seals what we send. Owned by the session from now on, which destroys it at its end. */
  readonly sendKey: AeadKey;
  /** Opens what the peer sends. Owned like {@link SessionOptions.sendKey}. */
  readonly receiveKey: AeadKey;
  /** Our receiver index: the peer writes it into its packets. */
  readonly localIndex: number;
  /** The peer's receiver index: we write it into ours. */
  readonly remoteIndex: number;
  /** The path of the handshake. */
  readonly path: PathId;
  /** Whether the peer has proved to be there. The responder's path proves itself with the first packet that passes. */
  readonly pathValidated: boolean;
  /** The round trip of the handshake where it was measured without a retry; spares the first guess of 333 ms. */
  readonly handshakeRtt?: Duration;
  readonly now: Instant;
  readonly random: RandomSource;
  /** Counts what the session drops; the session itself does the counting. */
  readonly drops: DropCounters;
  /**
   * What a path may carry at most by what is known of its first link, in bytes of UDP payload; 1452 where nothing is. The
   * path is probed before anything larger than 1200 goes there.
   */
  readonly pathLimit?: (path: PathId) => number;
  /** What is known of sizes that failed on the way to the host of a path; without it each path begins with nothing. */
  readonly sizeFailure?: (path: PathId) => SizeFailure;
  /** Blocks for streams, shared by all sessions of an endpoint; without it the session has its own. */
  readonly streamMemory?: StreamMemory;
  /** What half messages may take, shared by all sessions of an endpoint; without it the session has its own. */
  readonly messageMemory?: MessageMemory;
  /** Called when another session's doing gave this one something to send. */
  readonly wake?: () => void;
  readonly config?: Partial<SessionConfig>;
  /** Hears what happens inside; `undefined`: nobody does. */
  readonly trace?: SessionTrace | undefined;
  /** Makes further keys. Owned like {@link SessionOptions.sendKey}. Without it the keys are never changed. */
  readonly rekeyNoise?: RekeyNoise;
}

/** The defaults with what is asked for in their place. Throws `INVALID_ARGUMENT` for what cannot be. */
export function checkedConfig(wanted: Partial<SessionConfig> | undefined): SessionConfig {
  const config = { ...DEFAULT_SESSION_CONFIG, ...wanted };
  checkTuning(config);
  const { maxDatagram } = config;
  if (maxDatagram >= MAX_DATAGRAM && maxDatagram <= MAX_RECEIVED_DATAGRAM) return config;
  const range = `${MAX_DATAGRAM} to ${MAX_RECEIVED_DATAGRAM}`;
  throw new ClusterError('INVALID_ARGUMENT', `maxDatagram is ${maxDatagram}; give ${range} bytes`);
}
