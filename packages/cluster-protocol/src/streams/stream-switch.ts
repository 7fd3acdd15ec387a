import { ClusterError } from '../base/index.js';
import type { ClusterEvent, StreamRef } from '../interface/index.js';
import { isOneWay, StreamCode, type StreamOptions } from '../session/index.js';
import { type PeerStream, StreamBridge, type StreamRuntime } from './peer-stream.js';

/** How to open a stream. */
export interface OpenStreamOptions extends StreamOptions {
  /** Ends the wait for the peer, and the stream when it is open. */
  readonly signal?: AbortSignal;
}

/** What takes streams of a service. What it throws or rejects with ends the stream with code 0. */
export type StreamHandler = (stream: PeerStream) => void | Promise<void>;

/**
 * The streams of a running member as Web Streams: opens them, and hands those of peers to whoever takes their service.
 *
 * ```ts
 * const streams = new StreamSwitch(runtime);
 * streams.handle(0x8001, async ({ readable, writable }) => readable.pipeTo(writable)); // an echo
 * const { readable, writable } = await streams.open(lamp, { service: 0x8001 });
 * ```
 */
export class StreamSwitch {
  readonly #runtime: StreamRuntime;
  readonly #handlers = new Map<number, StreamHandler>();
  readonly #bridges = new Map<string, StreamBridge>();
  /** Who waits for a session or for room in one, by peer. */
  readonly #waiting = new Map<number, Set<() => void>>();
  readonly #unlisten: () => void;

  constructor(runtime: StreamRuntime) {
    this.#runtime = runtime;
    this.#unlisten = runtime.on(event => this.#take(event));
  }

  /** Takes the streams that peers open for a service. Returns how to stop. Throws `INVALID_STATE` when somebody does already. */
  handle(service: number, handler: StreamHandler): () => void {
    if (this.#handlers.has(service))
      throw new ClusterError('INVALID_STATE', `streams of service ${service} are taken by another handler`);
    this.#handlers.set(service, handler);
    this.#runtime.do(node => {
      node.streams.accepting = true;
    });
    return () => {
      if (this.#handlers.get(service) === handler) this.#handlers.delete(service);
    };
  }

  /**
   * Opens a stream to a peer; waits for a session with it and for its leave to open one more, until `signal` is aborted.
   * Throws `NOT_A_MEMBER`, `CANCELLED`, `INVALID_ARGUMENT`.
   */
  async open(peer: number, options: OpenStreamOptions): Promise<PeerStream> {
    const { signal } = options;
    for (;;) {
      if (signal?.aborted) throw cancelled(signal);
      const ref = this.#tryOpen(peer, options);
      if (ref !== undefined) {
        const bridge = this.#add(ref, options.service, { reads: !isOneWay(ref.stream), writes: true });
        signal?.addEventListener('abort', () => bridge.abort(), { once: true });
        return bridge;
      }
      await this.#news(peer, signal);
    }
  }

  /** Ends all streams; the runtime stays open. */
  close(): void {
    this.#unlisten();
    for (const bridge of [...this.#bridges.values()]) bridge.abort();
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake();
  }

  #tryOpen(peer: number, { service, priority, oneWay }: OpenStreamOptions): StreamRef | undefined {
    return this.#runtime.do((node, now) => {
      node.connect(now, peer);
      try {
        return node.streams.open(peer, {
          service,
          ...(priority !== undefined && { priority }),
          ...(oneWay !== undefined && { oneWay }),
        });
      } catch (error) {
        if (error instanceof ClusterError && (error.code === 'PEER_AWAY' || error.code === 'QUEUE_FULL'))
          return undefined;
        throw error;
      }
    });
  }

  #news(peer: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(peer) ?? new Set();
      this.#waiting.set(peer, waiting);
      const done = (): void => {
        waiting.delete(wake);
        signal?.removeEventListener('abort', abort);
      };
      const wake = (): void => {
        done();
        resolve();
      };
      const abort = (): void => {
        done();
        reject(cancelled(signal));
      };
      waiting.add(wake);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #add(ref: StreamRef, service: number, halves: { reads: boolean; writes: boolean }): StreamBridge {
    const bridge = new StreamBridge(this.#runtime, ref, service, halves, () =>
      this.#bridges.delete(nameOf(ref)),
    );
    this.#bridges.set(nameOf(ref), bridge);
    return bridge;
  }

  #take(event: ClusterEvent): void {
    if (event.kind === 'connected') this.#wake(event.peer);
    else if (event.kind === 'streamsClosed') this.#lost(event);
    if (event.kind !== 'stream') return;
    const { peer, session, event: told } = event;
    if (told.kind === 'streamsAvailable') {
      this.#wake(peer);
      return;
    }
    const ref: StreamRef = { peer, session, stream: told.stream };
    if (told.kind === 'streamOpened') {
      this.#opened(ref, told.service, told.oneWay);
      return;
    }
    const bridge = this.#bridges.get(nameOf(ref));
    switch (told.kind) {
      case 'streamReadable':
        bridge?.readableNow();
        break;
      case 'streamWritable':
        bridge?.writableNow();
        break;
      case 'streamFinished':
        bridge?.finished();
        break;
      case 'streamReset':
        bridge?.reset(told.code);
        break;
      case 'streamStopped':
        bridge?.stopped(told.code);
    }
  }

  #opened(ref: StreamRef, service: number, oneWay: boolean): void {
    const handler = this.#handlers.get(service);
    if (handler === undefined) {
      this.#runtime.do((node, now) => {
        node.streams.stop(now, ref, StreamCode.refused);
        node.streams.reset(ref, StreamCode.refused);
      });
      return;
    }
    const bridge = this.#add(ref, service, { reads: true, writes: !oneWay });
    void Promise.resolve()
      .then(() => handler(bridge))
      .catch(() => {
        bridge.abort();
      });
  }

  #lost({ peer, session, text }: Extract<ClusterEvent, { kind: 'streamsClosed' }>): void {
    const prefix = `${peer}/${session}/`;
    for (const [name, bridge] of [...this.#bridges])
      if (name.startsWith(prefix))
        bridge.fail(new ClusterError('SESSION_CLOSED', `the session with node #${peer} ended: ${text}`));
  }

  #wake(peer: number): void {
    for (const wake of [...(this.#waiting.get(peer) ?? [])]) wake();
  }
}

const nameOf = ({ peer, session, stream }: StreamRef): string => `${peer}/${session}/${stream}`;

const cancelled = (signal: AbortSignal | undefined): ClusterError =>
  new ClusterError('CANCELLED', 'the wait for a stream was called off', { cause: signal?.reason });
