import type { Instant } from './instant.js';

interface Slot<K> {
  readonly key: K;
  due: Instant;
}

/**
 * Deadlines of many machines, the earliest first: a binary heap with an index, so that setting, moving and clearing one
 * of n deadlines costs log n and asking for the earliest costs nothing. Holds at most one deadline per key.
 */
export class DeadlineQueue<K> {
  readonly #heap: Slot<K>[] = [];
  readonly #positions = new Map<K, number>();

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline of all. */
  get earliest(): Instant | undefined {
    return this.#heap[0]?.due;
  }

  /** Sets, moves or (with `undefined`) clears the deadline of `key`. */
  set(key: K, due: Instant | undefined): void {
    const position = this.#positions.get(key);
    if (due === undefined) {
      if (position !== undefined) this.#remove(position);
      return;
    }
    if (position === undefined) {
      this.#heap.push({ key, due });
      this.#positions.set(key, this.#heap.length - 1);
      this.#rise(this.#heap.length - 1);
      return;
    }
    const slot = this.#heap[position]!;
    if (slot.due === due) return;
    slot.due = due;
    this.#sink(this.#rise(position));
  }

  /** Removes and returns one key whose deadline is not after `now`. */
  takeDue(now: Instant): K | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.due > now) return undefined;
    this.#remove(0);
    return first.key;
  }

  /** Removes and returns all of them, the earliest first: what is set meanwhile is due another time. */
  takeAllDue(now: Instant): readonly K[] {
    const due: K[] = [];
    for (let key = this.takeDue(now); key !== undefined; key = this.takeDue(now)) due.push(key);
    return due;
  }

  #remove(position: number): void {
    const slot = this.#heap[position]!;
    const last = this.#heap.pop()!;
    this.#positions.delete(slot.key);
    if (last === slot) return;
    this.#place(last, position);
    this.#sink(this.#rise(position));
  }

  #place(slot: Slot<K>, position: number): void {
    this.#heap[position] = slot;
    this.#positions.set(slot.key, position);
  }

  #rise(from: number): number {
    let position = from;
    const slot = this.#heap[position]!;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#heap[parent]!.due <= slot.due) break;
      this.#place(this.#heap[parent]!, position);
      position = parent;
    }
    this.#place(slot, position);
    return position;
  }

  #sink(from: number): void {
    let position = from;
    const slot = this.#heap[position]!;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#heap[child + 1]!.due < this.#heap[child]!.due) child++;
      if (this.#heap[child]!.due >= slot.due) break;
      this.#place(this.#heap[child]!, position);
      position = child;
    }
    this.#place(slot, position);
  }
}
