/**
 * The last congestion event of a path and which of its losses still stand. When every packet that counted as lost in it
 * was acknowledged after all, the event was none and its effect is undone (RFC 9438, section 4.9). Packets are told by
 * their place among the ack-eliciting ones of the path.
 */
export class LossEvent {
  /** The first packet of the event; `Infinity`: there is none that could be undone. */
  #first = Infinity;
  #standing = 0;

  /** A new event begins with `count` losses, the first in place `first`. */
  begin(first: number, count: number): void {
    this.#first = first;
    this.#standing = count;
  }

  /** More packets were lost in the same event. */
  extend(count: number): void {
    this.#standing += count;
  }

  /** A packet that counted as lost was acknowledged. Tells whether that was the last one that stood. */
  late(place: number): boolean {
    if (place < this.#first) return false;
    if (--this.#standing > 0) return false;
    this.forget();
    return true;
  }

  /** What was lost is not known to be congestion, or the path was left: nothing is undone any more. */
  forget(): void {
    this.#first = Infinity;
    this.#standing = 0;
  }
}
