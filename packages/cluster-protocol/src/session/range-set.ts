/**
 * A set of integers kept as ascending ranges `[start, end)` that neither overlap nor touch. Adding at the upper end, the
 * common case, allocates nothing. The caller bounds the number of ranges by {@link RangeSet.dropLowest} or by the size
 * of what it counts.
 */
export class RangeSet {
  /** start, end, start, end, … */
  readonly #bounds: number[] = [];

  /** How many ranges. */
  get ranges(): number {
    return this.#bounds.length / 2;
  }

  /** First member of a range; 0 is the lowest range. */
  start(range: number): number {
    return this.#bounds[2 * range]!;
  }

  /** The number behind the last member of a range. */
  end(range: number): number {
    return this.#bounds[2 * range + 1]!;
  }

  /** The lowest range that ends behind `value`; the number of ranges when none does. */
  rangeAt(value: number): number {
    return this.#indexOf(value) / 2;
  }

  /** Whether `[start, end)` lies inside. */
  covers(start: number, end: number): boolean {
    const at = this.#indexOf(start);
    return at < this.#bounds.length && this.#bounds[at]! <= start && end <= this.#bounds[at + 1]!;
  }

  /** Adds `[start, end)`; returns how many members are new. */
  insert(start: number, end: number): number {
    const bounds = this.#bounds;
    const size = bounds.length;
    if (end <= start) return 0;
    if (size === 0 || start > bounds[size - 1]!) {
      bounds.push(start, end);
      return end - start;
    }
    if (start >= bounds[size - 2]!) {
      const added = Math.max(0, end - bounds[size - 1]!);
      bounds[size - 1]! += added;
      return added;
    }
    return this.#insertInside(start, end);
  }

  /** Takes `[start, end)` out; returns how many members were in. */
  remove(start: number, end: number): number {
    const bounds = this.#bounds;
    let removed = 0;
    if (end <= start) return 0;
    let at = this.#indexOf(start);
    while (at < bounds.length && bounds[at]! < end) {
      const low = bounds[at]!;
      const high = bounds[at + 1]!;
      removed += Math.min(high, end) - Math.max(low, start);
      if (low < start && high > end) {
        bounds.splice(at, 2, low, start, end, high);
        return removed;
      }
      if (low < start) {
        bounds[at + 1] = start;
        at += 2;
      } else if (high > end) {
        bounds[at] = end;
        return removed;
      } else {
        bounds.splice(at, 2);
      }
    }
    return removed;
  }

  /** Forgets the lowest ranges until at most `ranges` are left. */
  dropLowest(ranges: number): void {
    if (this.ranges > ranges) this.#bounds.splice(0, this.#bounds.length - 2 * ranges);
  }

  /** Forgets everything below `limit`. */
  dropBelow(limit: number): void {
    if (this.#bounds.length > 0 && this.#bounds[0]! < limit) this.remove(this.#bounds[0]!, limit);
  }

  #insertInside(start: number, end: number): number {
    const bounds = this.#bounds;
    let from = this.#indexOf(start);
    // The range before may touch what begins here.
    if (from >= 2 && bounds[from - 1] === start) from -= 2;
    let to = from;
    let low = start;
    let high = end;
    let known = 0;
    while (to < bounds.length && bounds[to]! <= end) {
      low = Math.min(low, bounds[to]!);
      high = Math.max(high, bounds[to + 1]!);
      known += bounds[to + 1]! - bounds[to]!;
      to += 2;
    }
    bounds.splice(from, to - from, low, high);
    return high - low - known;
  }

  /** Index of the start of the first range that ends behind `value`. */
  #indexOf(value: number): number {
    let low = 0;
    let high = this.#bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#bounds[2 * middle + 1]! > value) high = middle;
      else low = middle + 1;
    }
    return 2 * low;
  }
}
