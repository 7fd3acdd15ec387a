import {
  after,
  type Duration,
  earliest,
  type Instant,
  milliseconds,
  randomFraction,
  type RandomSource,
  seconds,
} from '../base/index.js';
import type { Path } from '../session/index.js';
import { PROBE_TIMES } from './probe-schedule.js';

/** Waits between requests for a lease that bring none; the last one repeats: an NMN that is away comes back without us. */
const REQUEST_WAITS: readonly Duration[] = [5, 15, 60].map(seconds);

/**
 * A channel that nobody needs is given back after this: longer than a handshake and the answers to a close take, so that
 * whoever comes back soon finds it.
 */
const LINGER: Duration = seconds(30);

/** Added to each wait, up to this share: nodes that lost their NMN together do not ask together. */
const REQUEST_JITTER = 0.2;

/** The relay path that stands by: asked for until there is one, challenged until it is proved. */
export class StandbyRelay {
  readonly #random: RandomSource;
  #requests = 0;
  #requestAt: Instant | undefined;
  #notBefore: Instant | undefined;
  #wanted = false;
  #probed: Path | undefined;
  #probes = 0;
  #probeAt: Instant | undefined;
  #releaseAt: Instant | undefined;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** When {@link release} has something to do. */
  get releaseAt(): Instant | undefined {
    return this.#releaseAt;
  }

  /** Whether to give the channel back now. `idle`: there is one, and neither a session nor its path needs it. */
  release(now: Instant, idle: boolean): boolean {
    if (!idle) this.#releaseAt = undefined;
    else this.#releaseAt ??= after(now, LINGER);
    if (this.#releaseAt === undefined || this.#releaseAt > now) return false;
    this.#releaseAt = undefined;
    return true;
  }

  /** When {@link request} or {@link takeProbe} has something to do. */
  get nextAt(): Instant | undefined {
    return earliest(this.#requestAt, this.#probeAt);
  }

  /** Whether to ask for a lease now. `wanted`: a relay would be of use and there is none. */
  request(now: Instant, wanted: boolean): boolean {
    if (wanted && !this.#wanted) {
      this.#requests = 0;
      // The last request may still be under way, or its lease have been lost at once.
      this.#requestAt = this.#notBefore !== undefined && this.#notBefore > now ? this.#notBefore : now;
    }
    this.#wanted = wanted;
    if (!wanted) this.#requestAt = undefined;
    if (this.#requestAt === undefined || this.#requestAt > now) return false;
    const wait = REQUEST_WAITS[Math.min(this.#requests++, REQUEST_WAITS.length - 1)]!;
    this.#requestAt = after(now, milliseconds(wait * (1 + REQUEST_JITTER * randomFraction(this.#random))));
    this.#notBefore = after(now, REQUEST_WAITS[0]!);
    return true;
  }

  /** Challenges `path` until it answers, on the ladder of a round. */
  warm(now: Instant, path: Path): void {
    this.#probed = path;
    this.#probes = 0;
    this.#probeAt = now;
    this.#releaseAt = undefined; // Whoever asked for it means to use it.
  }

  /** The channel is gone. */
  cool(path: Path): void {
    if (this.#probed !== undefined && samePath(this.#probed, path)) this.#end();
  }

  /** The peer answered over `path`. */
  answered(path: Path): void {
    this.cool(path);
  }

  /** The channel to challenge now. */
  takeProbe(now: Instant): Path | undefined {
    if (this.#probeAt === undefined || this.#probeAt > now) return undefined;
    const path = this.#probed;
    const next = PROBE_TIMES[this.#probes + 1];
    if (next === undefined) this.#end();
    else this.#probeAt = after(now, milliseconds(next - PROBE_TIMES[this.#probes]!));
    this.#probes++;
    return path;
  }

  #end(): void {
    this.#probed = undefined;
    this.#probeAt = undefined;
  }
}

const samePath = (a: Path, b: Path): boolean =>
  a.link === b.link && a.channel === b.channel && a.remote.key === b.remote.key;
