import type { Entry } from '@coconet/capabilities';
import { entryKey, HeldEntries } from './held-entries.js';
import { NewestQueue } from './newest-queue.js';
import type { NetworkSource } from './source.js';
import type { SubscriptionWish } from './subscription.js';

/** A value that is news. */
export interface FollowedEntry {
  readonly nodeId: number;
  readonly entry: Entry;
  /** It is part of the first picture of its device. */
  readonly snapshot: boolean;
}

/** One loop over values: of one device, or of several that may become more. */
export class Following {
  readonly queue: NewestQueue<FollowedEntry>;
  readonly #source: NetworkSource;
  readonly #wish: SubscriptionWish;
  readonly #stops = new Map<number, () => void>();

  /** `onStop`: called once, when the loop is over. */
  constructor(
    source: NetworkSource,
    wish: SubscriptionWish,
    signal: AbortSignal | undefined,
    onStop: () => void,
  ) {
    this.#source = source;
    this.#wish = wish;
    this.queue = new NewestQueue<FollowedEntry>(() => {
      for (const stop of this.#stops.values()) stop();
      this.#stops.clear();
      onStop();
    }, signal);
  }

  /** Follows a device, from now on; once. */
  follow(nodeId: number): void {
    if (this.queue.isOver() || this.#stops.has(nodeId)) return;
    const held = new HeldEntries();
    let isFirst = true;
    // Set before the source is asked: it may answer at once.
    this.#stops.set(nodeId, () => undefined);
    const stop = this.#source.watch(
      { nodeId, ...this.#wish },
      {
        values: batch => {
          const snapshot = isFirst;
          isFirst = false;
          const news = held.handleBatch(batch);
          if (news.length > 0 || snapshot)
            this.queue.put(news.map(entry => [`${nodeId} ${entryKey(entry)}`, { nodeId, entry, snapshot }]));
        },
        refused: error => {
          this.#stops.delete(nodeId);
          this.queue.end(error);
        },
      },
    );
    if (this.queue.isOver()) stop();
    else this.#stops.set(nodeId, stop);
  }

  /** The device is gone. */
  forget(nodeId: number): void {
    this.#stops.get(nodeId)?.();
    this.#stops.delete(nodeId);
  }
}
