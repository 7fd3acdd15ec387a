import { elapsed, type Instant } from '../base/index.js';
import type { Path } from './endpoint-paths.js';

/** At most one reset per source in this time: a reset tells one peer once, it never answers a flood. */
const INTERVAL_MS = 1_000;
/** Sources remembered; beyond it nobody gets a reset until old ones are forgotten, so a flood of sources costs nothing. */
const MAX_SOURCES = 1_024;

/** Says whether a source may be told that its session is gone (docs/spec/02-handshake.md, "Reset"). */
export class ResetLimiter {
  readonly #last = new Map<string, Instant>();

  allows(now: Instant, path: Path): boolean {
    const source = `${path.remote.key}|${path.channel ?? ''}`;
    const last = this.#last.get(source);
    if (last !== undefined && elapsed(last, now) < INTERVAL_MS) return false;
    if (last === undefined && this.#last.size >= MAX_SOURCES && !this.#forget(now)) return false;
    this.#last.delete(source);
    this.#last.set(source, now);
    return true;
  }

  // Oldest first: a map remembers the order of insertion.
  #forget(now: Instant): boolean {
    let forgotten = false;
    for (const [source, last] of this.#last) {
      if (elapsed(last, now) < INTERVAL_MS) break;
      this.#last.delete(source);
      forgotten = true;
    }
    return forgotten;
  }
}
