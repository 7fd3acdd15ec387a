/** What a frame carried and who wants to know whether it arrived. */
export interface FrameCarrier {
  /** Whether it fits one packet, as commands and their answers do: it goes first where not everything can be repeated. */
  readonly small?: boolean;
  /** The peer has these bytes. May be told more than once. */
  acknowledged(offset: number, length: number): void;
  /** They are to be sent again. May be told about bytes that arrive nevertheless. */
  lost(offset: number, length: number): void;
}

/** One frame of a sent packet that must be repeated when the packet is lost; a link of that packet's list. */
export interface SentFrame {
  carrier: FrameCarrier;
  offset: number;
  length: number;
  next: SentFrame | undefined;
}

/** Released links kept for reuse: as many as a full window of packets with two frames each. */
const MAX_SPARE = 2_048;

const NOBODY: FrameCarrier = { acknowledged: () => undefined, lost: () => undefined };

/** Links of {@link SentFrame} lists, reused so that a steady flow of packets allocates none. */
export class SentFramePool {
  #spare: SentFrame | undefined;
  #spares = 0;

  /** A link in front of `next`. */
  take(carrier: FrameCarrier, offset: number, length: number, next: SentFrame | undefined): SentFrame {
    const frame = this.#spare;
    if (frame === undefined) return { carrier, offset, length, next };
    this.#spare = frame.next;
    this.#spares--;
    frame.carrier = carrier;
    frame.offset = offset;
    frame.length = length;
    frame.next = next;
    return frame;
  }

  /** Lets the spare links go. */
  clear(): void {
    this.#spare = undefined;
    this.#spares = 0;
  }

  /** Gives a whole list back; the carriers are let go. */
  release(list: SentFrame | undefined): void {
    for (let frame = list; frame !== undefined;) {
      const next = frame.next;
      frame.carrier = NOBODY;
      if (this.#spares < MAX_SPARE) {
        frame.next = this.#spare;
        this.#spare = frame;
        this.#spares++;
      }
      frame = next;
    }
  }
}
