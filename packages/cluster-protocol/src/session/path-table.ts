import type { PathId } from './session-event.js';
import type { SessionPath } from './session-path.js';

/** Paths of one session: the eight candidates of a peer that may be probed, relays, and those that a rebinding makes new. */
export const MAX_PATHS = 12;

/** The paths of a session, few enough to look through. */
export class PathTable implements Iterable<SessionPath> {
  readonly #paths: SessionPath[] = [];

  [Symbol.iterator](): Iterator<SessionPath> {
    return this.#paths[Symbol.iterator]();
  }

  get size(): number {
    return this.#paths.length;
  }

  at(index: number): SessionPath {
    return this.#paths[index]!;
  }

  get(id: PathId): SessionPath | undefined {
    for (let i = 0; i < this.#paths.length; i++) if (this.#paths[i]!.id === id) return this.#paths[i];
    return undefined;
  }

  /**
   * The path that must go so that another fits: the one heard of longest ago that is neither `keep` nor carries anything,
   * unproved ones first. `undefined`: there is room, or none can go.
   */
  evictable(keep: SessionPath): SessionPath | undefined {
    if (this.#paths.length < MAX_PATHS) return undefined;
    const age = (path: SessionPath): number => (path.validated ? 2 ** 52 : 0) + (path.lastReceived ?? -1);
    return this.#paths
      .filter(path => path !== keep && path.packetsInFlight === 0)
      .sort((a, b) => age(a) - age(b))[0];
  }

  /** Adds a path; `false` when the table is full. */
  add(path: SessionPath): boolean {
    if (this.#paths.length >= MAX_PATHS) return false;
    this.#paths.push(path);
    return true;
  }

  remove(path: SessionPath): void {
    const index = this.#paths.indexOf(path);
    if (index >= 0) this.#paths.splice(index, 1);
  }
}
