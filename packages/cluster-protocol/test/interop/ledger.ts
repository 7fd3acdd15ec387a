/** A message or datagram as it was sent: a name in its first bytes, and bytes that follow from the name. */
export function letter(name: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(LETTER_HEAD, length));
  new DataView(bytes.buffer).setUint32(0, name);
  for (let i = LETTER_HEAD; i < bytes.length; i++) bytes[i] = letterByte(name, i);
  return bytes;
}

/** Bytes of a letter before its contents. */
const LETTER_HEAD = 4;

const letterByte = (name: number, at: number): number => (name * 31 + at * 7 + (at >> 8)) & 0xff;

interface Entry {
  readonly text: string;
  readonly length: number;
  /** How often each life of the receiver got it. */
  readonly deliveries: Map<number, number>;
  /** The life of the receiver when the sender heard of an acknowledgement. */
  acknowledgedBy: number | undefined;
  /** It was taken back, or may end without an outcome. */
  optional: boolean;
}

/** What was sent, what arrived and what was said to have arrived, as somebody who sees both ends writes it down. */
export class Ledger {
  readonly problems: string[] = [];
  readonly #letters = new Map<number, Entry>();
  #next = 1;
  delivered = 0;

  /** A new letter; `optional`: a datagram, or a message that nobody waits for. */
  write(
    from: string,
    length: number,
    optional: boolean,
  ): { readonly name: number; readonly bytes: Uint8Array } {
    const name = this.#next++;
    const bytes = letter(name, length);
    this.#letters.set(name, {
      text: `letter ${name} of ${from} (${bytes.length} bytes)`,
      length: bytes.length,
      deliveries: new Map(),
      acknowledgedBy: undefined,
      optional,
    });
    return { name, bytes };
  }

  /** A life of a receiver got a letter. */
  receive(life: number, bytes: Uint8Array): void {
    this.delivered++;
    const name = bytes.length < LETTER_HEAD ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const entry = this.#letters.get(name);
    if (entry?.length !== bytes.length) {
      this.problems.push(`${bytes.length} bytes arrived that nobody sent`);
      return;
    }
    for (let i = LETTER_HEAD; i < bytes.length; i++)
      if (bytes[i] !== letterByte(name, i)) {
        this.problems.push(`${entry.text} arrived with another byte at ${i}`);
        break;
      }
    const times = (entry.deliveries.get(life) ?? 0) + 1;
    entry.deliveries.set(life, times);
    if (times > 1) this.problems.push(`${entry.text} arrived ${times} times in one life`);
  }

  /** The sender was told that a life of the receiver has a letter. */
  acknowledge(name: number, life: number): void {
    const entry = this.#letters.get(name)!;
    if (entry.acknowledgedBy !== undefined) this.problems.push(`${entry.text} was acknowledged twice`);
    entry.acknowledgedBy = life;
  }

  /** A letter was taken back, or its sender has died: it may arrive or not. */
  release(name: number): void {
    this.#letters.get(name)!.optional = true;
  }

  /** Whether a letter was acknowledged. */
  isAcknowledged(name: number): boolean {
    return this.#letters.get(name)?.acknowledgedBy !== undefined;
  }

  /** What is wrong in the end. */
  judge(): readonly string[] {
    for (const { text, acknowledgedBy, deliveries, optional } of this.#letters.values()) {
      // An ack on its way outlives whoever sent it: an earlier life may have taken the letter.
      const taken = [...deliveries.keys()].some(
        life => acknowledgedBy !== undefined && life <= acknowledgedBy,
      );
      if (acknowledgedBy !== undefined && !taken)
        this.problems.push(`${text} was acknowledged and never delivered`);
      if (acknowledgedBy === undefined && !optional)
        this.problems.push(`${text} was not acknowledged after everything had healed`);
    }
    return this.problems;
  }
}
