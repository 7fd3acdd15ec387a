import { LOWEST_PRIORITY } from '../wire/index.js';
import type { OutgoingStream } from './outgoing-stream.js';

/** Streams that have something to send, by priority; within one they take turns, frame by frame. */
export class StreamTurns {
  /** A set keeps the order of joining, and joining twice or leaving from the middle costs nothing. */
  readonly #waiting: readonly Set<OutgoingStream>[] = Array.from(
    { length: LOWEST_PRIORITY + 1 },
    () => new Set<OutgoingStream>(),
  );
  /** A bit for each priority at which a stream waits. */
  mask = 0;

  /** Puts a stream behind the others of its priority, unless it waits already. */
  join(stream: OutgoingStream): void {
    this.#waiting[stream.priority]!.add(stream);
    this.mask |= 1 << stream.priority;
  }

  /** Takes a stream out. */
  leave(stream: OutgoingStream): void {
    const waiting = this.#waiting[stream.priority]!;
    waiting.delete(stream);
    if (waiting.size === 0) this.mask &= ~(1 << stream.priority);
  }

  /** Whose turn it is. */
  next(priority: number): OutgoingStream | undefined {
    for (const stream of this.#waiting[priority]!) return stream;
    return undefined;
  }

  /** Puts a stream behind the others. */
  rotate(stream: OutgoingStream): void {
    const waiting = this.#waiting[stream.priority]!;
    if (waiting.size === 1) return;
    waiting.delete(stream);
    waiting.add(stream);
  }

  clear(): void {
    for (const waiting of this.#waiting) waiting.clear();
    this.mask = 0;
  }
}
