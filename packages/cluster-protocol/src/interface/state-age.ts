import { after, type Instant, milliseconds, type WallTime } from '../base/index.js';
import type { NetworkState } from '../network/index.js';
import type { ClusterEvent } from './events.js';

/**
 * Notices when the authority has been silent for longer than it promised (docs/spec/05-network.md, "Heads"): somebody may
 * be keeping revocations from this node.
 */
export class StateAge {
  readonly #state: NetworkState;
  #stale = false;
  #staleAt: Instant | undefined;

  constructor(state: NetworkState, now: Instant) {
    this.#state = state;
    this.#staleAt = now;
  }

  /** To be called when the state or what is believed of time has changed, and when it is due. */
  check(now: Instant, time: WallTime): ClusterEvent | undefined {
    const stale = this.#state.stale(time);
    const promised = this.#state.head?.nextUpdateBy;
    // The promise is kept up to its last millisecond.
    this.#staleAt =
      stale || promised === undefined ? undefined : after(now, milliseconds(promised - time + 1));
    if (stale === this.#stale) return undefined;
    this.#stale = stale;
    return { kind: 'networkState', state: stale ? 'stale' : 'current', nextUpdateBy: promised ?? 0 };
  }

  pollTimeout(): Instant | undefined {
    return this.#staleAt;
  }
}
