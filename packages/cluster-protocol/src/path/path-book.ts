import {
  after,
  type Duration,
  elapsed,
  type Instant,
  milliseconds,
  minutes,
  seconds,
} from '../base/index.js';
import type { Path } from '../session/index.js';
import type { LocalLink } from './local-candidates.js';
import { classOf, delayScore, type PathClass, rankOf } from './path-score.js';

/** A path of the peer's session and what is known of it. */
export interface KnownPath {
  path: Path;
  readonly key: string;
  pathClass: PathClass;
  rtt: Duration | undefined;
  /** When the peer last proved to be there; a relay's lease proves it as long as it holds. */
  provenAt: Instant | undefined;
  /** Whether it answered in this session, however long ago: the session does not challenge it by itself any more. */
  answered: boolean;
  /** Something waits there for an ack, for longer than a probe timeout. */
  suspect: boolean;
  /** It does not answer any more. */
  failed: boolean;
  /** How often it failed in a row, each within {@link FORGIVEN_AFTER} of the one before. */
  failures: number;
  failedAt: Instant | undefined;
  /** Until then it is not returned to, although it answers: it failed too often. */
  heldUntil: Instant | undefined;
}

/** Paths of one peer: 8 candidates, an old and a new relay channel, and room for rebindings. The one proved longest ago gives way. */
const MAX_KNOWN_PATHS = 16;

/** Relay channels of one peer: the one in use and its successor. */
const MAX_RELAYS = 2;

/**
 * For so long a proof counts without traffic: NATs that forget a mapping sooner are rare, although RFC 4787 (REQ-5) asks for two
 * minutes.
 */
const PROOF_LIFETIME: Duration = seconds(30);

/** A failure is forgotten when no other came for a minute. */
const FORGIVEN_AFTER: Duration = minutes(1);

/** The second failure within a minute costs 2 s, each further one twice as much … */
const FIRST_HOLD: Duration = seconds(2);

/** … up to one slow round. */
const LONGEST_HOLD: Duration = minutes(1);

/** All known paths to one peer. */
export class PathBook {
  readonly #paths = new Map<string, KnownPath>();
  #links: readonly LocalLink[] = [];

  get all(): readonly KnownPath[] {
    return [...this.#paths.values()];
  }

  get hasRelay(): boolean {
    return this.all.some(isRelay);
  }

  find(path: Path): KnownPath | undefined {
    return this.#paths.get(keyOf(path));
  }

  /** Classes follow the interfaces; unrelayed paths over links that are gone are forgotten, except `keep`. */
  setLinks(links: readonly LocalLink[], keep: KnownPath | undefined): void {
    this.#links = links;
    for (const known of this.all) {
      if (!links.some(({ link }) => link === known.path.link)) {
        if (known === keep) known.failed = true;
        else this.forget(known);
      } else if (!isRelay(known)) known.pathClass = classOf(known.path.remote, links);
    }
  }

  /** The entry of `path`, made if it is new. `keep` is never the one that gives way. */
  learn(path: Path, keep: KnownPath | undefined, relay?: 'relay' | 'peerRelay'): KnownPath {
    const key = keyOf(path);
    const known = this.#paths.get(key);
    if (known) {
      known.path = path;
      return known;
    }
    const unrelayed = path.channel === undefined;
    const pathClass = relay ?? (unrelayed ? classOf(path.remote, this.#links) : 'relay');
    const made: KnownPath = {
      path,
      key,
      pathClass,
      rtt: undefined,
      provenAt: undefined,
      answered: false,
      suspect: false,
      failed: false,
      failures: 0,
      failedAt: undefined,
      heldUntil: undefined,
    };
    this.#paths.set(key, made);
    this.#evict(made, keep);
    return made;
  }

  forget(known: KnownPath): void {
    this.#paths.delete(known.key);
  }

  /** Another session: the peer has to prove every path again. */
  begin(): void {
    this.unprove(undefined);
    for (const known of this.all) known.answered = false;
  }

  /** Another session or network: the peer has to prove every path but `keep` again. */
  unprove(keep: KnownPath | undefined): void {
    for (const known of this.all) {
      if (known === keep) continue;
      known.provenAt = undefined;
      known.suspect = false;
      known.failed = false;
    }
  }

  /** The session is gone and with it every unrelayed path. */
  clear(): void {
    for (const known of this.all) if (!isRelay(known)) this.forget(known);
  }

  fail(now: Instant, known: KnownPath): void {
    const again = known.failedAt !== undefined && elapsed(known.failedAt, now) < FORGIVEN_AFTER;
    known.failures = again ? known.failures + 1 : 1;
    known.failedAt = now;
    known.suspect = false;
    known.failed = true;
    if (known.failures < 2) return;
    const hold = Math.min(LONGEST_HOLD, FIRST_HOLD * 2 ** Math.min(10, known.failures - 2));
    known.heldUntil = after(now, milliseconds(hold));
  }

  /** Whether data may take this path now with good hope. */
  isGood(now: Instant, known: KnownPath): boolean {
    if (known.suspect || known.failed) return false;
    return isRelay(known) || (known.provenAt !== undefined && elapsed(known.provenAt, now) <= PROOF_LIFETIME);
  }

  isHeld(now: Instant, known: KnownPath): boolean {
    return known.heldUntil !== undefined && known.heldUntil > now;
  }

  /** The best good path but `except`; `held` ones only where that is asked for. */
  best(now: Instant, except: KnownPath | undefined, held: boolean): KnownPath | undefined {
    return this.all
      .filter(known => known !== except && this.isGood(now, known) && (held || !this.isHeld(now, known)))
      .sort(compare)[0];
  }

  /** When a path that answers stops being held back. */
  nextRelease(now: Instant): Instant | undefined {
    const held = this.all.filter(known => this.isHeld(now, known) && this.isGood(now, known));
    return held.length === 0 ? undefined : (Math.min(...held.map(({ heldUntil }) => heldUntil!)) as Instant);
  }

  #evict(made: KnownPath, keep: KnownPath | undefined): void {
    const others = this.all.filter(known => known !== made && known !== keep);
    const relays = others.filter(isRelay);
    // Maps keep the order of insertion: the first relay is the oldest.
    if (isRelay(made) && relays.length >= MAX_RELAYS) this.forget(relays[0]!);
    if (this.#paths.size <= MAX_KNOWN_PATHS) return;
    const oldest = others
      .filter(known => !isRelay(known))
      .sort((a, b) => (a.provenAt ?? -Infinity) - (b.provenAt ?? -Infinity))[0];
    if (oldest) this.forget(oldest);
  }
}

/** Whether a relay stands between. */
export const isRelay = ({ pathClass }: { readonly pathClass: PathClass }): boolean =>
  pathClass === 'relay' || pathClass === 'peerRelay';

const compare = (a: KnownPath, b: KnownPath): number => {
  const byClass = rankOf(a.pathClass) - rankOf(b.pathClass);
  const [left, right] = [delayScore(a.path.remote, a.rtt), delayScore(b.path.remote, b.rtt)];
  return byClass !== 0 ? byClass : left === right ? 0 : left - right;
};

const keyOf = ({ link, remote, channel }: Path): string => `${link}|${remote.key}|${channel ?? ''}`;
