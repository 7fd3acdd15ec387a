import type { Instant, TraceSink } from '../base/index.js';
import { describeDatagram, type SocketAddress } from '../wire/index.js';
import type { LossCause } from './link-conditions.js';

/** Entries kept for the chart; the hash covers everything, however long the run. */
const MAX_ENTRIES = 10_000;

/** What became of a datagram. */
export type Fate = 'delivered' | LossCause;

/** One line of a recorded run. */
export type RecordedEntry =
  | {
      readonly kind: 'datagram';
      readonly at: Instant;
      readonly from: string;
      /** The host it reached, or the address it was meant for. */
      readonly to: string;
      readonly fate: Fate;
      readonly text: string;
    }
  | { readonly kind: 'note'; readonly at: Instant; readonly host: string; readonly text: string };

/** Options of {@link Recorder}. */
export interface RecorderOptions {
  /** How many entries are kept for the chart: default 0, at most 10,000. The oldest stay. */
  readonly keep?: number;
  /** One short line for a datagram. Default: what can be seen without keys. */
  readonly describe?: (bytes: Uint8Array) => string;
  /** Makes the trace of an endpoint; `now` is the time of the world in ms. Default: there are no traces. */
  readonly trace?: (title: string, now: () => number) => TraceSink;
}

/**
 * Writes a run down: a hash over every datagram and note, by which two runs of one seed are compared, and on request a
 * sequence chart for people.
 */
export class Recorder {
  readonly #entries: RecordedEntry[] = [];
  readonly #keep: number;
  readonly #describe: (bytes: Uint8Array) => string;
  /** Makes the trace of an endpoint; `undefined`: there are none. */
  readonly trace: RecorderOptions['trace'];
  readonly #hash = new TraceHash();
  #datagrams = 0;
  readonly #fates = new Map<Fate, number>();
  readonly #sentBytes = new Map<string, number>();

  constructor(options: RecorderOptions = {}) {
    this.#keep = Math.min(options.keep ?? 0, MAX_ENTRIES);
    this.#describe = options.describe ?? describeDatagram;
    this.trace = options.trace;
  }

  get entries(): readonly RecordedEntry[] {
    return this.#entries;
  }

  /** Datagrams whose fate is known. A duplicate counts twice. */
  get datagrams(): number {
    return this.#datagrams;
  }

  /** How often each fate was met. */
  get fates(): ReadonlyMap<Fate, number> {
    return this.#fates;
  }

  /** Bytes of datagrams that a host sent, whatever became of them. A duplicate counts twice. */
  sentBytes(host: string): number {
    return this.#sentBytes.get(host) ?? 0;
  }

  /** 16 hexadecimal digits: equal for equal runs. Not cryptographic. */
  get hash(): string {
    return this.#hash.digest;
  }

  /** Writes down what became of a datagram. */
  datagram(
    at: Instant,
    from: string,
    to: string,
    remote: SocketAddress,
    bytes: Uint8Array,
    fate: Fate,
  ): void {
    this.#datagrams++;
    this.#fates.set(fate, (this.#fates.get(fate) ?? 0) + 1);
    this.#sentBytes.set(from, this.sentBytes(from) + bytes.length);
    this.#hash.number(at);
    this.#hash.text(`${from}>${to}|${remote.key}|${fate}`);
    this.#hash.bytes(bytes);
    if (this.#entries.length >= this.#keep) return;
    this.#entries.push({ kind: 'datagram', at, from, to, fate, text: this.#describe(bytes) });
  }

  /** Writes down a fact that is no datagram: a crash, a rebinding, a step of a test. */
  note(at: Instant, host: string, text: string): void {
    this.#hash.number(at);
    this.#hash.text(`${host}:${text}`);
    if (this.#entries.length < this.#keep) this.#entries.push({ kind: 'note', at, host, text });
  }

  /** The kept entries as a Mermaid sequence chart. */
  mermaid(): string {
    const names = new Map<string, string>();
    const idOf = (name: string): string => {
      const id = names.get(name) ?? `h${names.size}`;
      names.set(name, id);
      return id;
    };
    const lines = this.#entries.map(entry =>
      entry.kind === 'note'
        ? `  Note over ${idOf(entry.host)}: ${time(entry.at)} ${plain(entry.text)}`
        : `  ${idOf(entry.from)}${entry.fate === 'delivered' ? '->>' : '--x'}${idOf(entry.to)}: ${time(entry.at)} ${plain(entry.text)}` +
          (entry.fate === 'delivered' ? '' : ` (${entry.fate})`),
    );
    const participants = [...names].map(([name, id]) => `  participant ${id} as ${plain(name)}`);
    return ['sequenceDiagram', ...participants, ...lines, ''].join('\n');
  }
}

const time = (at: Instant): string => `${at.toFixed(1)} ms`;

/** Mermaid ends a statement at a semicolon and takes `#` for an entity. */
const plain = (text: string): string => text.replace(/[;#\r\n]/g, ' ');

/** Two 32-bit FNV-1a sums with different multipliers, side by side: fast in JavaScript, and 64 bits in all. */
class TraceHash {
  #left = 0x811c9dc5;
  #right = 0x9e3779b9;
  readonly #number = new DataView(new ArrayBuffer(8));

  get digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#left) + hex(this.#right);
  }

  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.#add(byte);
    this.#add(0x100); // An end that no byte can be: what is split differently hashes differently.
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#add(text.charCodeAt(i));
    this.#add(0x1_0000);
  }

  number(value: number): void {
    this.#number.setFloat64(0, value);
    this.#add(this.#number.getUint32(0));
    this.#add(this.#number.getUint32(4));
  }

  #add(word: number): void {
    this.#left = Math.imul(this.#left ^ word, 0x01000193);
    this.#right = Math.imul((this.#right ^ word) + 1, 0x85ebca6b);
    this.#right ^= this.#right >>> 13;
  }
}
