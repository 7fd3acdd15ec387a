import type { SeededRandom } from '../../src/testing/seeded-random.js';
import type { SessionEvent, StreamChunk, StreamOptions } from '../../src/session/index.js';

/** A stream of one side: in which session, which one. */
export interface StreamName {
  readonly session: number;
  readonly stream: number;
}

/** What the program of one side may do with streams, whatever carries them. */
export interface StreamVerbs {
  /** `undefined`: not now. */
  open(options: StreamOptions): StreamName | undefined;
  write(name: StreamName, bytes: Uint8Array): number;
  end(name: StreamName): void;
  reset(name: StreamName, code: number): void;
  stop(name: StreamName, code: number): void;
  read(name: StreamName): StreamChunk | undefined;
}

/** One direction of a stream, as somebody who sees both ends writes it down. */
interface Half {
  readonly tag: number;
  readonly total: number;
  written: number;
  read: number;
  ended: boolean;
  /** The writer was told that the reader has all of it. */
  finished: boolean;
  /** Somebody gave it up, or a session or program at either end died. */
  broken: boolean;
}

interface Reader {
  readonly name: StreamName;
  half: Half | undefined;
  readonly head: number[];
}

/** Every half: its tag and its length. */
const HEAD = 8;
const CHUNK = 4_096;

const byteAt = (tag: number, at: number): number => (tag * 37 + at * 11 + (at >> 8) * 5 + (at >> 16)) & 0xff;

/** All streams of a run. */
export class StreamLedger {
  readonly problems: string[] = [];
  readonly halves = new Map<number, Half>();
  /** Bytes that were read and were right. */
  bytes = 0;

  add(total: number): Half {
    const tag = this.halves.size + 1;
    const half = { tag, total, written: 0, read: 0, ended: false, finished: false, broken: false };
    this.halves.set(tag, half);
    return half;
  }

  /** Whether everything has arrived that nobody gave up. */
  get complete(): boolean {
    for (const half of this.halves.values()) if (!half.broken && !(half.ended && half.finished)) return false;
    return true;
  }

  judge(): readonly string[] {
    for (const { tag, total, written, read, ended, finished, broken } of this.halves.values())
      if (!broken && !(ended && finished))
        this.problems.push(
          `stream half ${tag} of ${total} bytes stands at ${written} written, ${read} read, ended ${ended}, finished ${finished}`,
        );
    return this.problems;
  }
}

/** The program of one side, in one life, that writes and reads streams. */
export class StreamTraffic {
  readonly #ledger: StreamLedger;
  readonly #random: SeededRandom;
  readonly #verbs: StreamVerbs;
  readonly #writing = new Map<string, { readonly name: StreamName; readonly half: Half }>();
  readonly #reading = new Map<string, Reader>();
  readonly #scratch = new Uint8Array(CHUNK);
  /** Streams with something to read that their reader leaves there for a while. */
  readonly #unread = new Map<string, StreamName>();
  /** How often a reader takes its time: one in so many; 0: never. */
  lazy = 0;

  constructor(ledger: StreamLedger, random: SeededRandom, verbs: StreamVerbs) {
    this.#ledger = ledger;
    this.#random = random;
    this.#verbs = verbs;
  }

  /** Opens a stream and writes so many bytes to it as there is room. False: not now. */
  begin(size: number, options: StreamOptions): boolean {
    const name = this.#verbs.open(options);
    if (name === undefined) return false;
    this.#write(name, size);
    return true;
  }

  /** Takes what a session tells of its streams. */
  take(session: number, event: SessionEvent): void {
    switch (event.kind) {
      case 'streamOpened': {
        const name = { session, stream: event.stream };
        this.#reader(name);
        // Who was opened in both ways answers.
        if (!event.oneWay) this.#write(name, this.#random.below(20_000));
        return;
      }
      case 'streamReadable': {
        const name = { session, stream: event.stream };
        if (this.lazy > 0 && this.#random.below(this.lazy) === 0) this.#unread.set(keyOf(name), name);
        else this.#read(name);
        return;
      }
      case 'streamWritable':
        this.#push(keyOf({ session, stream: event.stream }));
        return;
      case 'streamFinished': {
        const key = keyOf({ session, stream: event.stream });
        const writing = this.#writing.get(key);
        if (writing) writing.half.finished = true;
        this.#writing.delete(key);
        return;
      }
      case 'streamReset':
        this.#endReading(keyOf({ session, stream: event.stream }), 'was reset');
        return;
      case 'streamStopped': {
        const key = keyOf({ session, stream: event.stream });
        const half = this.#writing.get(key)?.half;
        if (half && !half.broken)
          this.#ledger.problems.push(`half ${half.tag} was stopped, and nobody asked`);
        this.#writing.delete(key);
        return;
      }
      default:
    }
  }

  /** Reads what was left there. */
  catchUp(): void {
    const waiting = [...this.#unread.values()];
    this.#unread.clear();
    for (const name of waiting) this.#read(name);
  }

  /** Gives one stream up, of those that are written or read. */
  giveUpOne(): void {
    const writing = [...this.#writing.values()];
    const reading = [...this.#reading.values()];
    if (this.#random.below(2) === 0) {
      const one = writing[this.#random.below(writing.length)];
      if (!one) return;
      one.half.broken = true;
      this.#writing.delete(keyOf(one.name));
      this.#verbs.reset(one.name, 7);
    } else {
      const one = reading[this.#random.below(reading.length)];
      if (!one?.half) return;
      one.half.broken = true;
      this.#reading.delete(keyOf(one.name));
      this.#unread.delete(keyOf(one.name));
      this.#verbs.stop(one.name, 9);
    }
  }

  /** A session ended, or with `undefined` the program. */
  ended(session: number | undefined): void {
    for (const [key, { name, half }] of this.#writing)
      if (session === undefined || name.session === session) {
        half.broken = true;
        this.#writing.delete(key);
      }
    for (const [key, { name, half }] of this.#reading)
      if (session === undefined || name.session === session) {
        if (half) half.broken = true;
        this.#reading.delete(key);
        this.#unread.delete(key);
      }
  }

  #write(name: StreamName, size: number): void {
    const half = this.#ledger.add(Math.max(HEAD, size));
    this.#writing.set(keyOf(name), { name, half });
    this.#push(keyOf(name));
  }

  #push(key: string): void {
    const writing = this.#writing.get(key);
    if (!writing) return;
    const { name, half } = writing;
    while (half.written < half.total) {
      const length = Math.min(CHUNK, half.total - half.written);
      this.#fill(half, length);
      const taken = this.#verbs.write(name, this.#scratch.subarray(0, length));
      half.written += taken;
      if (taken < length) return;
    }
    if (half.ended) return;
    half.ended = true;
    this.#verbs.end(name);
  }

  #fill({ tag, total, written }: Half, length: number): void {
    const bytes = this.#scratch;
    for (let i = 0; i < length; i++) bytes[i] = byteAt(tag, written + i);
    if (written >= HEAD) return;
    const head = new DataView(new ArrayBuffer(HEAD));
    head.setUint32(0, tag);
    head.setUint32(4, total);
    for (let i = 0; i < length && written + i < HEAD; i++) bytes[i] = head.getUint8(written + i);
  }

  #reader(name: StreamName): Reader {
    const key = keyOf(name);
    const reader = this.#reading.get(key) ?? { name, half: undefined, head: [] };
    this.#reading.set(key, reader);
    return reader;
  }

  #read(name: StreamName): void {
    for (;;) {
      const chunk = this.#verbs.read(name);
      if (chunk === undefined) return;
      const reader = this.#reader(name);
      this.#check(reader, chunk.bytes);
      if (!chunk.end) continue;
      const { half } = reader;
      if (half?.read !== half?.total || half === undefined)
        this.#ledger.problems.push(`half ${half?.tag} ended after ${half?.read} of ${half?.total} bytes`);
      this.#reading.delete(keyOf(name));
    }
  }

  #check(reader: Reader, bytes: Uint8Array): void {
    const ledger = this.#ledger;
    let at = 0;
    for (; reader.half === undefined && at < bytes.length; at++) {
      if (reader.head.push(bytes[at]!) < HEAD) continue;
      const head = new DataView(Uint8Array.from(reader.head).buffer);
      const half = ledger.halves.get(head.getUint32(0));
      if (half?.total !== head.getUint32(4) || half.read > 0) {
        ledger.problems.push('a stream begins with bytes that nobody wrote');
        return;
      }
      half.read = HEAD;
      reader.half = half;
    }
    const { half } = reader;
    if (half === undefined) return;
    for (; at < bytes.length; at++, half.read++)
      if (bytes[at] !== byteAt(half.tag, half.read)) {
        ledger.problems.push(`half ${half.tag} has another byte at ${half.read}`);
        return;
      }
    ledger.bytes += bytes.length;
    if (half.read > half.written) ledger.problems.push(`half ${half.tag} is read beyond what was written`);
  }

  #endReading(key: string, what: string): void {
    const reader = this.#reading.get(key);
    this.#reading.delete(key);
    this.#unread.delete(key);
    if (reader?.half && !reader.half.broken)
      this.#ledger.problems.push(`half ${reader.half.tag} ${what}, and nobody did that`);
  }
}

const keyOf = ({ session, stream }: StreamName): string => `${session}/${stream}`;
