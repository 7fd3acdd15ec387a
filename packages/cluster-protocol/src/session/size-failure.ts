import { after, decodeText, encodeText, instant, type Instant, seconds } from '../base/index.js';
import { MAX_DATAGRAM, MAX_RECEIVED_DATAGRAM, socketAddress } from '../wire/index.js';
import type { Path } from './endpoint-paths.js';

/**
 * A size that failed is not tried again before this. Node cannot forbid fragmentation: an operating system that was told
 * of a small path MTU cuts larger packets up for ten minutes (Linux: mtu_expires), and a probe in pieces proves nothing.
 */
const RETRY = seconds(600);

/** Hosts whose paths proved narrow; each took a session that was validated there. Beyond that the oldest is tried again. */
const MAX_HOSTS = 1_024;

/** Hosts that are kept for the next start, the newest. */
const MAX_KEPT = 64;

/**
 * What is known of sizes that failed on the way to one host: for all sessions and ports there, because what an operating
 * system heard by ICMP it applies to the host.
 */
export class SizeFailure {
  readonly #changed: () => void;
  #size = Infinity;
  #until: Instant = instant(0);

  /** `changed` is called when another size than before failed, or none does any more. */
  constructor(changed: () => void = () => undefined) {
    this.#changed = changed;
  }

  /** The smallest size that failed, as far as is known; `Infinity`: none has. */
  get size(): number {
    return this.#size;
  }

  /** A datagram of that size failed: nothing as large is tried for ten minutes. Returns until when. */
  note(now: Instant, size: number): Instant {
    this.#until = after(now, RETRY);
    this.#set(size);
    return this.#until;
  }

  /** A datagram of that size arrived. */
  arrived(size: number): void {
    if (size >= this.#size) this.#set(Infinity);
  }

  /** Until when a size is not to be tried; `undefined`: it may be now. */
  forbids(now: Instant, size: number): Instant | undefined {
    return size >= this.#size && now < this.#until ? this.#until : undefined;
  }

  #set(size: number): void {
    if (size === this.#size) return;
    this.#size = size;
    this.#changed();
  }
}

/** What is known of all hosts. A node keeps it over restarts, as its operating system does. */
export class SizeFailures {
  readonly #changed: () => void;
  readonly #byHost = new Map<string, SizeFailure>();

  /** `changed` is called when there is something else to keep. */
  constructor(changed: () => void = () => undefined) {
    this.#changed = changed;
  }

  /** What is known of the host of a path. */
  of(path: Path | undefined): SizeFailure {
    const host = path?.remote.host ?? '';
    const known = this.#byHost.get(host);
    if (known !== undefined) return known;
    const oldest = this.#byHost.size >= MAX_HOSTS ? this.#byHost.keys().next() : undefined;
    if (oldest?.done === false) this.#byHost.delete(oldest.value);
    const failure = new SizeFailure(this.#changed);
    this.#byHost.set(host, failure);
    return failure;
  }

  /** What an earlier process kept: nobody can know how long ago that was, so the ten minutes begin anew. */
  restore(now: Instant, kept: Uint8Array): void {
    for (const line of (decodeText(kept) ?? '').split('\n').slice(0, MAX_KEPT)) {
      const [host = '', digits = ''] = line.split(' ');
      const remote = socketAddress(host, 1);
      const size = Number(digits);
      if (remote && size > MAX_DATAGRAM && size <= MAX_RECEIVED_DATAGRAM)
        this.of({ id: 0, link: 0, remote, channel: undefined }).note(now, size);
    }
  }

  /** What to keep for {@link SizeFailures.restore}: one line for a host. */
  keep(): Uint8Array {
    const narrow = [...this.#byHost].filter(([, { size }]) => size !== Infinity).slice(-MAX_KEPT);
    return encodeText(narrow.map(([host, { size }]) => `${host} ${size}`).join('\n'));
  }
}
