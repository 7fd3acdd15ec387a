import { encodeTextUpTo, type Duration, type Instant } from '../base/index.js';
import { MAX_CLOSE_REASON } from '../wire/index.js';

/** The close frame goes out once, and again for packets of a peer that missed it, so often in all. */
const CLOSE_COPIES = 3;

/** RFC 9000, section 10.2: a closed session answers late packets for three probe timeouts. */
const DRAINING_PROBE_TIMEOUTS = 3;

/** Whether a session lives. */
export type SessionState =
  | { readonly kind: 'open' }
  /** Closed here: late packets of the peer are answered by the close frame. */
  | {
      readonly kind: 'closing';
      readonly code: number;
      readonly reason: Uint8Array;
      readonly until: Instant;
      copiesLeft: number;
      due: boolean;
    }
  | { readonly kind: 'closed' };

/** The state of a session that is closed here, `probeTimeout` being that of its active path. */
export function closing(now: Instant, code: number, reason: string, probeTimeout: Duration): SessionState {
  return {
    kind: 'closing',
    code,
    reason: encodeTextUpTo(reason, MAX_CLOSE_REASON),
    until: (now + DRAINING_PROBE_TIMEOUTS * probeTimeout) as Instant,
    copiesLeft: CLOSE_COPIES,
    due: true,
  };
}
