import { milliseconds } from '@coconet/cluster-protocol';
import { HolderLost, RemoteSource } from './bridge/remote.js';
import type { Outcome } from './command-call.js';
import { ClientError } from './errors.js';
import type { DropCounts, Invitation, InvitationWish, NodeExplanation } from './network.js';
import type {
  CallControl,
  CallRequest,
  NetworkSource,
  Patience,
  SelfReport,
  WatchRequest,
  WatchSink,
} from './source.js';
import type { Timers } from './waiting.js';

interface Watch {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  stop: () => void;
}

type State =
  | { readonly kind: 'open'; readonly source: NetworkSource }
  /** The holder is gone; this program or another one takes over. */
  | { readonly kind: 'changing'; readonly next: Promise<NetworkSource> }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'closed' };

/**
 * A network through whoever holds the store, this program or another one, and through the next one when that ends: what
 * runs goes on, and what was under way ends with what is known of it.
 */
export class SharedSource implements NetworkSource {
  readonly #open: () => Promise<NetworkSource>;
  readonly #timers: Timers;
  readonly #failed: (error: Error) => void;
  readonly #watches = new Set<Watch>();
  #self: SelfReport;
  #state: State;

  private constructor(
    source: NetworkSource,
    open: () => Promise<NetworkSource>,
    timers: Timers,
    failed: (error: Error) => void,
  ) {
    this.#open = open;
    this.#timers = timers;
    this.#failed = failed;
    this.#self = source.self;
    this.#state = { kind: 'open', source };
    this.#attend(source);
  }

  /** `open`: becomes the holder, or finds it. `failed`: neither can be done any more. */
  static async start(
    open: () => Promise<NetworkSource>,
    timers: Timers,
    failed: (error: Error) => void,
  ): Promise<SharedSource> {
    return new SharedSource(await open(), open, timers, failed);
  }

  get self(): SelfReport {
    return this.#self;
  }

  get shared(): boolean {
    return this.#state.kind !== 'open' || this.#state.source.shared;
  }

  async call(request: CallRequest, control: CallControl): Promise<Outcome> {
    const { now } = this.#timers;
    const began = now.call(this.#timers);
    for (;;) {
      const left = control.timeout - (now.call(this.#timers) - began);
      if (left <= 0) return ended('expired', 'its time was over before a program held the store again');
      if (control.signal?.aborted === true) return ended('cancelled', 'it was called off before it was sent');
      const source = await this.#within(left, control.signal);
      if (!source) continue;
      try {
        return await source.call(request, { ...control, timeout: left });
      } catch (error) {
        if (!(error instanceof HolderLost)) throw error;
        if (error.sent) return ended('outcomeUnknown', error.message);
        await this.#changed(source);
      }
    }
  }

  watch(request: WatchRequest, sink: WatchSink): () => void {
    const watch: Watch = { request, sink, stop: () => undefined };
    this.#watches.add(watch);
    if (this.#state.kind === 'open') this.#begin(watch, this.#state.source);
    return () => {
      this.#watches.delete(watch);
      watch.stop();
    };
  }

  dropped(): Promise<DropCounts> {
    return this.#ask(source => source.dropped());
  }

  explain(nodeId: number): Promise<NodeExplanation> {
    return this.#ask(source => source.explain(nodeId));
  }

  ping(nodeId: number, patience: Patience): Promise<number | null> {
    return this.#ask(source => source.ping(nodeId, patience));
  }

  invite(wish: InvitationWish, patience: Patience): Promise<Invitation> {
    return this.#ask(source => source.invite(wish, patience));
  }

  revoke(nodeId: number, reason: string, patience: Patience): Promise<void> {
    return this.#ask(source => source.revoke(nodeId, reason, patience));
  }

  leave(patience: Patience): Promise<void> {
    return this.#ask(source => source.leave(patience));
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    for (const { stop } of this.#watches) stop();
    this.#watches.clear();
    if (state.kind === 'open') await state.source.close();
    if (state.kind === 'changing') await state.next.then(source => source.close()).catch(() => undefined);
  }

  #attend(source: NetworkSource): void {
    if (source instanceof RemoteSource)
      void source.lost.then(() => {
        this.#takeOver(source);
      });
  }

  #takeOver(lost: NetworkSource): void {
    if (this.#state.kind !== 'open' || this.#state.source !== lost) return;
    const next = this.#open();
    this.#state = { kind: 'changing', next };
    next.then(
      source => {
        if (this.#state.kind !== 'changing') return;
        this.#self = source.self;
        this.#state = { kind: 'open', source };
        this.#attend(source);
        for (const watch of this.#watches) this.#begin(watch, source);
      },
      (error: unknown) => {
        if (this.#state.kind !== 'changing') return;
        const reason = error as Error;
        this.#state = { kind: 'failed', error: reason };
        this.#failed(reason);
      },
    );
  }

  #begin(watch: Watch, source: NetworkSource): void {
    watch.stop = source.watch(watch.request, {
      values: batch => watch.sink.values(batch),
      refused: error => {
        this.#watches.delete(watch);
        watch.sink.refused(error);
      },
    });
  }

  async #source(): Promise<NetworkSource> {
    switch (this.#state.kind) {
      case 'open':
        return this.#state.source;
      case 'changing':
        return this.#state.next;
      case 'failed':
        throw this.#state.error;
      case 'closed':
        throw new ClientError('NETWORK_CLOSED', 'the network was closed');
    }
  }

  /** A source, if there is one in time. */
  async #within(time: number, signal: AbortSignal | undefined): Promise<NetworkSource | undefined> {
    if (this.#state.kind === 'open') return this.#state.source;
    if (time === Infinity && !signal) return this.#source();
    const cleanUp: (() => void)[] = [];
    try {
      return await new Promise<NetworkSource | undefined>((resolve, reject) => {
        const giveUp = (): void => resolve(undefined);
        if (time !== Infinity) cleanUp.push(this.#timers.schedule(milliseconds(time), giveUp));
        signal?.addEventListener('abort', giveUp, { once: true });
        cleanUp.push(() => signal?.removeEventListener('abort', giveUp));
        this.#source().then(resolve, reject);
      });
    } finally {
      for (const each of cleanUp) each();
    }
  }

  /** Waits until a lost source is no longer the one that is asked. */
  async #changed(lost: NetworkSource): Promise<void> {
    if (lost instanceof RemoteSource && this.#state.kind === 'open' && this.#state.source === lost) {
      await lost.lost;
      this.#takeOver(lost);
    }
  }

  async #ask<T>(question: (source: NetworkSource) => Promise<T>): Promise<T> {
    for (;;) {
      const source = await this.#source();
      try {
        return await question(source);
      } catch (error) {
        if (!(error instanceof HolderLost)) throw error;
        if (error.sent)
          throw new ClientError(
            'HOLDER_LOST',
            `${error.message} in the middle: whether it was done is not known`,
            {
              cause: error,
            },
          );
        await this.#changed(source);
      }
    }
  }
}

const ended = (code: 'expired' | 'cancelled' | 'outcomeUnknown', message: string): Outcome => ({
  code,
  answered: false,
  message,
});
