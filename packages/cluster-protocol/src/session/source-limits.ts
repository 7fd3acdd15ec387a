import { type Instant, toHex } from '../base/index.js';
import { addressBytes } from '../wire/index.js';
import type { Path } from './endpoint-paths.js';

/** Initiations of one source in a second, and at one moment: WireGuard's limits. A NAT with hundred members gets them through in 5 s. */
const PER_SECOND = 20;
const BURST = 5;
/**
 * Sources remembered. One is forgotten as soon as its allowance is whole again, at the latest after a quarter of a
 * second, so 1,024 serve 20,480 handshakes a second; who comes beyond that waits.
 */
const MAX_SOURCES = 1_024;

const INTERVAL_MS = 1_000 / PER_SECOND;
const TOLERANCE_MS = (BURST - 1) * INTERVAL_MS;

/**
 * Limits what one source may have opened while the endpoint is loaded (docs/spec/02-handshake.md, "Load"). A source is
 * an IPv4 address, the /64 of an IPv6 address (whoever has one address of it has them all), or a relay channel. Only
 * sources that proved to be real are counted, so nobody can use up the allowance of another.
 */
export class SourceLimits {
  /** When the allowance of a source is whole again. */
  readonly #wholeAt = new Map<string, number>();
  #sweptAt = -Infinity;

  /** Sources remembered now. */
  get size(): number {
    return this.#wholeAt.size;
  }

  /** Whether one more initiation of this source may be opened; if so it is counted. */
  allows(now: Instant, path: Path): boolean {
    const source = sourceOf(path);
    const wholeAt = this.#wholeAt.get(source);
    if (wholeAt === undefined && this.#wholeAt.size >= MAX_SOURCES && !this.#forget(now)) return false;
    const from = Math.max(wholeAt ?? now, now);
    if (from > now + TOLERANCE_MS) return false;
    this.#wholeAt.set(source, from + INTERVAL_MS);
    return true;
  }

  // Looks through all of them, hence not for each packet of a flood.
  #forget(now: Instant): boolean {
    if (now < this.#sweptAt + INTERVAL_MS) return false;
    this.#sweptAt = now;
    for (const [source, wholeAt] of this.#wholeAt) if (wholeAt <= now) this.#wholeAt.delete(source);
    return this.#wholeAt.size < MAX_SOURCES;
  }
}

function sourceOf({ remote, channel, link }: Path): string {
  if (channel !== undefined) return `${link}|${remote.key}|${channel}`;
  return remote.family === 4 ? remote.host : toHex(addressBytes(remote).subarray(0, 8));
}
