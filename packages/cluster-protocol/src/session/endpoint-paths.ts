import type { SocketAddress } from '../wire/index.js';
import type { PathId } from './session-event.js';

/**
 * Where a datagram came from or goes to: the link (a socket of ours), the remote address and, over a relay, the
 * channel. Two datagrams travel the same path exactly if all three are equal (docs/spec/04-path.md, section 1).
 */
export interface Path {
  readonly id: PathId;
  readonly link: number;
  readonly remote: SocketAddress;
  /** The relay channel on our leg; `undefined`: no relay between. */
  readonly channel: number | undefined;
}

/**
 * What a path is called in MACs that bind something to it. Over a relay the address is the relay's and says nothing: there
 * the channel stands for the sender.
 */
export function pathName({ link, remote, channel }: Path): Uint8Array {
  const text = `${link}|${remote.key}|${channel ?? '-'}`;
  // All of it is ASCII; a text encoder costs more than the MAC.
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

interface Entry {
  readonly path: Path;
  readonly key: string;
  holders: number;
}

/**
 * The paths of an endpoint, each once. Bounded by their holders: a session holds at most 24, twice as many as it knows
 * (docs/spec/03-session.md, section 9), a handshake tries at most 8, a relay lease has one.
 */
export class EndpointPaths {
  readonly #byKey = new Map<string, Entry>();
  readonly #byId = new Map<PathId, Entry>();
  #next = 1;
  #latest: Path | undefined;

  get size(): number {
    return this.#byId.size;
  }

  get(id: PathId): Path | undefined {
    return this.#byId.get(id)?.path;
  }

  find(link: number, remote: SocketAddress, channel: number | undefined): Path | undefined {
    // Datagrams come in runs: most of the time it is the path of the one before, and no key is built for it.
    const latest = this.#latest;
    if (latest?.remote === remote && latest.link === link && latest.channel === channel) return latest;
    const path = this.#byKey.get(keyOf(link, remote, channel))?.path;
    if (path) this.#latest = path;
    return path;
  }

  /** The path with these three, made if it is new. Lives until {@link release} was called as often as {@link hold}. */
  intern(link: number, remote: SocketAddress, channel: number | undefined): Path {
    const known = this.find(link, remote, channel);
    if (known) return known;
    const path: Path = { id: this.#next++, link, remote, channel };
    const entry: Entry = { path, key: keyOf(link, remote, channel), holders: 0 };
    this.#byKey.set(entry.key, entry);
    this.#byId.set(path.id, entry);
    return path;
  }

  hold(id: PathId): void {
    const entry = this.#byId.get(id);
    if (entry) entry.holders++;
  }

  release(id: PathId): void {
    const entry = this.#byId.get(id);
    if (entry && --entry.holders <= 0) this.#forget(entry);
  }

  /** Forgets a path that nobody came to hold: called after a datagram on a new path was dropped. */
  sweep(id: PathId): void {
    const entry = this.#byId.get(id);
    if (entry?.holders === 0) this.#forget(entry);
  }

  #forget(entry: Entry): void {
    if (this.#latest === entry.path) this.#latest = undefined;
    this.#byKey.delete(entry.key);
    this.#byId.delete(entry.path.id);
  }
}

const keyOf = (link: number, remote: SocketAddress, channel: number | undefined): string =>
  `${link}|${remote.key}|${channel ?? ''}`;

/** Stands where there is no path yet; nothing is ever sent to it. */
export const NO_PATH: Path = {
  id: 0,
  link: 0,
  remote: { family: 4, host: '0.0.0.0', port: 1, key: '0.0.0.0:1' },
  channel: undefined,
};
