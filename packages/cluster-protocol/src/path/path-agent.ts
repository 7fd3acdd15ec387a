import {
  after,
  type Duration,
  earliest,
  elapsed,
  type Instant,
  milliseconds,
  type RandomSource,
  seconds,
} from '../base/index.js';
import type { Path } from '../session/index.js';
import type { SocketAddress } from '../wire/index.js';
import { type Candidate, type CandidateList, encodeCandidates } from './candidate.js';
import { judgeConsent, linkTowards, type ConsentFacts, type ConsentRules } from './consent.js';
import { explainPath, type Explanation, type PathReport, type RelayShaping, reportOf } from './explain.js';
import { gatherCandidates, type LocalLink } from './local-candidates.js';
import { PendingActions, type PathAction } from './path-action.js';
import { isRelay, type KnownPath, PathBook } from './path-book.js';
import { delayScore, isWorthwhile, rankOf } from './path-score.js';
import { MAX_OBSERVED, PeerAddresses, type RefusedTarget } from './peer-addresses.js';
import { type ProbeRecord, ProbeRound } from './probe-round.js';
import { RoundTimer } from './probe-schedule.js';
import { StandbyRelay } from './standby-relay.js';

/** What a path agent is made of. */
export interface PathAgentOptions {
  readonly random: RandomSource;
  readonly rules: ConsentRules;
}

/** A session right after its handshake. */
export interface OpenedSession {
  /** The path of its handshake; data takes it until another one is activated. */
  readonly path: Path;
  readonly role: 'initiator' | 'responder';
}

/** A way to send a handshake message 1 without a relay. */
export interface ConnectTarget {
  readonly link: number;
  readonly remote: SocketAddress;
}

/** Our list of candidates is told at most so often: interfaces that flap would fill the control window. */
const TELL_INTERVAL: Duration = seconds(1);

/** Between two requests for a punch: the length of a round, which a new punch would only cut short. */
const PUNCH_INTERVAL: Duration = seconds(4);

/** The longest start of a punch that is waited for; a longer one would only be a mistake of the NMN. */
const LONGEST_PUNCH_DELAY: Duration = seconds(10);

/** Between two changes of path for the sake of round-trip time alone: measurements settle within a few seconds. */
const RTT_CHANGE_INTERVAL: Duration = seconds(5);

/**
 * Finds, proves, chooses and changes the paths to one peer (docs/spec/04-path.md). Lives as long as the node knows the
 * peer, through all of its sessions. Takes what the node learns, wants {@link PathAction}s done, and touches no socket:
 * after every call drain {@link PathAgent.pollAction}, then arm a timer for {@link PathAgent.pollTimeout}.
 *
 * The path in use is only left for a better one that has proved itself, or when the session says that it failed; while it is
 * suspect the next best one carries what it carries.
 */
export class PathAgent {
  readonly #rules: ConsentRules;
  readonly #rounds: RoundTimer;
  readonly #round = new ProbeRound();
  readonly #book = new PathBook();
  readonly #peer = new PeerAddresses();
  readonly #standby: StandbyRelay;
  readonly #pending = new PendingActions();

  #links: readonly LocalLink[] = [];
  #reflexive: readonly SocketAddress[] = [];
  #refused: readonly RefusedTarget[] = [];
  #role: 'initiator' | 'responder' | undefined;
  #active: KnownPath | undefined;
  /** Carries what the active path carries, while that is suspect. */
  #bridge: KnownPath | undefined;
  #changedAt: Instant | undefined;
  /** Where the peer's newest packets come from, while that is a path which it has not proved yet. */
  #followed: string | undefined;

  #shaping: RelayShaping | undefined;

  #generation = 0;
  #told: string | undefined;
  #toldAt: Instant | undefined;
  #tellAt: Instant | undefined;
  #punchAt: Instant | undefined;
  #punchAskedAt: Instant | undefined;
  /** When a path that is held back may be used again. */
  #releaseAt: Instant | undefined;

  constructor(options: PathAgentOptions) {
    this.#rules = options.rules;
    this.#rounds = new RoundTimer(options.random);
    this.#standby = new StandbyRelay(options.random);
  }

  /** The path of all data to the peer; `undefined`: there is no session. */
  get active(): PathReport | undefined {
    return this.#active && reportOf(this.#active);
  }

  /** Our sockets and the addresses of this machine: the complete list, again at every change. */
  setLocal(now: Instant, links: readonly LocalLink[]): void {
    this.#links = links;
    this.#book.setLinks(links, this.#active);
    this.#localChanged(now);
  }

  /** Our addresses as the NMN sees them, the complete list. */
  setReflexive(now: Instant, addresses: readonly SocketAddress[]): void {
    this.#reflexive = addresses.slice(0, MAX_OBSERVED);
    this.#localChanged(now);
  }

  /**
   * A session with the peer is open, the first or one that took over from another; a session that was replaced is not
   * reported by {@link PathAgent.sessionClosed}.
   */
  sessionOpened(now: Instant, { path, role }: OpenedSession): void {
    const before = this.#active;
    this.#role = role;
    this.#book.begin();
    this.#active = undefined;
    const known = this.#book.learn(path, undefined);
    known.provenAt = now;
    known.answered = true; // The handshake is its proof.
    for (const standby of this.#book.all) {
      if (isRelay(standby) && standby !== known) this.#standby.warm(now, standby.path);
    }
    // Only an initiator knows that the peer answers at this address; a responder waits for a round trip of its own.
    if (role === 'initiator') this.#prove(now, known, known.rtt);
    this.#use(now, known, before, false);
    this.#peer.restartGenerations();
    this.#generation = 0;
    this.#told = undefined;
    this.#tellAt = now;
    this.#followed = undefined;
    this.#search(now);
    this.#settle(now);
  }

  /** The session ended and none took over. Relay channels and everything known of the peer's addresses stay. */
  sessionClosed(now: Instant): void {
    this.#role = undefined;
    this.#active = undefined;
    this.#followed = undefined;
    this.#book.clear();
    this.#rounds.stop();
    this.#round.stop();
    this.#pending.clear();
    this.#tellAt = undefined;
    this.#punchAt = undefined;
    this.#settle(now);
  }

  /** A lease's channel towards this peer is there. */
  relayAvailable(now: Instant, path: Path, by: 'relay' | 'peerRelay' = 'relay'): void {
    const known = this.#book.learn(path, this.#active, by);
    known.pathClass = by;
    known.failed = false;
    if (known !== this.#active) this.#standby.warm(now, known.path);
    this.#settle(now);
  }

  /** The relay dropped `bytes` of what we sent to the peer: all that we send through it exceeds `bytesPerSecond`. */
  relayShaped(now: Instant, bytes: number, bytesPerSecond: number): void {
    const { droppedBytes = 0, notices = 0 } = this.#shaping ?? {};
    this.#shaping = { droppedBytes: droppedBytes + bytes, notices: notices + 1, bytesPerSecond, at: now };
  }

  /** A lease ended. */
  relayGone(now: Instant, path: Path): void {
    const known = this.#book.find(path);
    if (known === undefined) return;
    this.#book.forget(known);
    this.#standby.cool(known.path);
    // Still the path of the session until another is found; it is not in the book, so that nothing returns to it.
    if (known === this.#active) {
      known.failed = true;
      this.#search(now);
    }
    this.#settle(now);
  }

  /** The peer's `candidates` control frame. */
  peerCandidates(now: Instant, list: CandidateList): void {
    if (this.#peer.name(list)) this.#peerChanged(now);
  }

  /** Where the NMN sees the peer: the newest word replaces older ones. */
  peerObserved(now: Instant, addresses: readonly SocketAddress[]): void {
    this.#peer.observe(addresses);
    this.#peerChanged(now);
  }

  /** Addresses where the peer answered a challenge in an earlier session, the best first. */
  remembered(now: Instant, addresses: readonly SocketAddress[]): void {
    this.#peer.remember(addresses);
    this.#peerChanged(now);
  }

  /** The NMN tells both sides to begin: one round to every address, in `startIn`. */
  punch(now: Instant, startIn: Duration): void {
    const delay = milliseconds(Math.min(Math.max(0, startIn), LONGEST_PUNCH_DELAY));
    if (this.#role !== undefined) this.#punchAt = after(now, delay);
    this.#settle(now);
  }

  /** A challenge was answered on its own path. */
  pathValidated(now: Instant, path: Path, rtt: Duration): void {
    if (this.#role === undefined) return;
    const known = this.#book.learn(path, this.#active);
    if (known === this.#bridge) this.#bridge = undefined; // Perhaps it can carry something only now.
    // Single samples jump: as RFC 6298 smooths them, one eighth of the new value.
    const smoothed = known.rtt === undefined ? rtt : milliseconds(known.rtt + (rtt - known.rtt) / 8);
    // What is overdue on the active path may be too large for it: a small packet that passes proves nothing there.
    if (known !== this.#active) {
      known.suspect = false;
      known.failed = false;
    }
    this.#prove(now, known, smoothed);
    const follows = this.#followed === known.key;
    if (follows) this.#followed = undefined;
    const left = this.#active;
    if (follows && left !== undefined && known !== left && known.pathClass === left.pathClass) {
      // The mapping that the peer left is most likely gone: nothing returns to it without a new proof.
      left.provenAt = undefined;
      this.#use(now, known, left, true);
    }
    this.#settle(now);
  }

  /** Something that was sent there waits for its ack for too long: the path may be dead. */
  pathSuspect(now: Instant, path: Path): void {
    const known = this.#book.find(path);
    if (known === undefined || known.failed) return;
    known.suspect = true;
    this.#settle(now);
  }

  /** Nothing that was sent there lately was acknowledged, or the operating system found no route. */
  pathFailed(now: Instant, path: Path): void {
    const known = this.#book.find(path);
    if (known === undefined || known.failed) return;
    this.#book.fail(now, known);
    if (!this.#hasDirect) this.#search(now);
    this.#settle(now);
  }

  /** Something that was sent on a suspect or failed path was acknowledged after all. */
  pathAlive(now: Instant, path: Path): void {
    const known = this.#book.find(path);
    if (known === undefined) return;
    known.suspect = false;
    known.failed = false;
    known.provenAt = now;
    this.#settle(now);
  }

  /**
   * The peer's newest packet came from there: perhaps its NAT gave it another mapping. A path that is new, or was not good
   * any more, is followed once it has proved itself; a good one is no news, and two agents that followed each other from
   * one to the other would never stop.
   */
  peerPath(now: Instant, path: Path): void {
    if (this.#role === undefined) return;
    const known = this.#book.learn(path, this.#active);
    const news = !isRelay(known) && !this.#book.isGood(now, known);
    this.#followed = news ? known.key : undefined;
    // The session challenges by itself what was never proved.
    if (news && known.answered) this.#pending.probe(path.link, path.remote);
    this.#settle(now);
  }

  /** The session's estimate of the round trip on a path that carries data. */
  measured(now: Instant, path: Path, rtt: Duration): void {
    const known = this.#book.find(path);
    if (known === undefined || this.#role === undefined) return;
    this.#prove(now, known, rtt);
    this.#settle(now);
  }

  /** Interfaces came or went, or the machine woke up: everything is probed again at once. */
  networkChanged(now: Instant): void {
    this.#book.unprove(this.#active);
    for (const known of this.#book.all) if (isRelay(known)) this.#standby.warm(now, known.path);
    this.#search(now);
    this.#settle(now);
  }

  handleTimeout(now: Instant): void {
    if (this.#punchAt !== undefined && this.#punchAt <= now) {
      this.#punchAt = undefined;
      this.#retarget();
      this.#round.start(now, () => true);
    }
    if (this.#rounds.takeDue(now)) this.#nextRound(now);
    this.#settle(now);
  }

  /** When {@link PathAgent.handleTimeout} is due; `undefined`: nothing is scheduled. */
  pollTimeout(): Instant | undefined {
    if (this.#role === undefined) return this.#standby.releaseAt;
    const probes = earliest(this.#rounds.nextAt, this.#round.nextAt);
    const relays = [this.#standby.nextAt, this.#standby.releaseAt, this.#punchAt].reduce(earliest);
    return earliest(earliest(probes, relays), earliest(this.#tellAt, this.#releaseAt));
  }

  /** The next thing that is to be done; `undefined`: nothing for now. */
  pollAction(): PathAction | undefined {
    return this.#pending.take();
  }

  /** Why the path to the peer is what it is. */
  explain(now: Instant): Explanation {
    return explainPath({
      now,
      active: this.#active,
      bridge: this.#bridge,
      told: this.#peer.told,
      records: this.#round.records,
      refused: this.#refused,
      paths: this.#book.all,
      isGood: known => this.#book.isGood(now, known),
      heldUntil: this.#book.nextRelease(now),
      shaping: this.#shaping,
      nextRound: this.#role === undefined ? undefined : earliest(this.#punchAt, this.#rounds.nextAt),
    });
  }

  /** Where a handshake message 1 may go directly: addresses that answered before, at most eight, the newest first. */
  connectTargets(_now: Instant): readonly ConnectTarget[] {
    const facts = this.#facts();
    return this.#peer.remembered.flatMap(remote => {
      const link = linkTowards(remote, this.#links)?.link;
      return link !== undefined && judgeConsent(remote, 'proved', facts).allowed ? [{ link, remote }] : [];
    });
  }

  /** Addresses where the peer answered, the newest first, at most eight: to be remembered for the next start. */
  workingAddresses(): readonly SocketAddress[] {
    return this.#peer.remembered;
  }

  get #hasDirect(): boolean {
    return this.#active !== undefined && !this.#active.failed && !isRelay(this.#active);
  }

  #facts(): ConsentFacts {
    const { observed } = this.#peer;
    return { links: this.#links, reflexive: this.#reflexive, observed, rules: this.#rules };
  }

  #ownCandidates(): readonly Candidate[] {
    return gatherCandidates(this.#links, this.#reflexive);
  }

  #retarget(): readonly ProbeRecord[] {
    const { targets, refused } = this.#peer.judge(this.#facts());
    this.#refused = refused;
    return this.#round.setTargets(targets);
  }

  #localChanged(now: Instant): void {
    if (this.#role === undefined) {
      this.#retarget();
      return;
    }
    const added = this.#retarget();
    const changed = this.#told !== undefined && this.#told !== keysOf(this.#ownCandidates());
    if (changed) this.#tellAt ??= after(this.#toldAt ?? now, TELL_INTERVAL);
    if (changed || added.length > 0) this.#search(now);
    this.#settle(now);
  }

  /** New addresses of the peer are probed at once; those that are being probed go on as they are. */
  #peerChanged(now: Instant): void {
    const added = this.#retarget();
    if (this.#role !== undefined && added.length > 0) {
      this.#rounds.restart(now);
      this.#round.start(now, record => added.includes(record));
    }
    if (this.#role !== undefined) this.#askForPunch(now);
    this.#settle(now);
  }

  /** A cause on our side: a series of rounds begins, its first one to every address. */
  #search(now: Instant): void {
    if (this.#role === undefined) return;
    this.#retarget();
    this.#rounds.restart(now);
    this.#round.start(now, () => true);
    this.#askForPunch(now);
  }

  #nextRound(now: Instant): void {
    // Whoever is reached directly is not searched any more: traffic keeps the path, and its failure begins a new series.
    if (this.#role === undefined || this.#hasDirect) {
      this.#rounds.stop();
      return;
    }
    this.#retarget();
    // Addresses that nobody vouches for get one round for each cause of ours and each punch of the NMN, no more.
    this.#round.start(now, ({ target }) => target.vouched);
    this.#askForPunch(now);
  }

  #askForPunch(now: Instant): void {
    const recently = this.#punchAskedAt !== undefined && elapsed(this.#punchAskedAt, now) < PUNCH_INTERVAL;
    const behindNat = this.#round.records.some(({ target }) => target.pathClass === 'direct');
    if (this.#role !== 'initiator' || this.#hasDirect || !this.#peer.told || !behindNat || recently) return;
    this.#punchAskedAt = now;
    this.#pending.requestPunch();
  }

  #prove(now: Instant, known: KnownPath, rtt: Duration | undefined): void {
    known.provenAt = now;
    known.answered = true;
    known.rtt = rtt;
    this.#standby.answered(known.path);
    if (isRelay(known)) return;
    const { remote } = known.path;
    this.#round.answer(remote.key);
    if (this.#peer.remembered[0]?.key === remote.key) return;
    this.#peer.remember([remote]);
  }

  /** Whether a probe there can still improve anything. */
  readonly #worthProbing = ({ target }: ProbeRecord): boolean => {
    if (this.#role === undefined) return false;
    if (this.#active === undefined || this.#active.failed) return true;
    return rankOf(target.pathClass) <= rankOf(this.#active.pathClass);
  };

  /** Chooses the path, then lets everything out that is due. */
  #settle(now: Instant): void {
    this.#choose(now);
    this.#span(now);
    this.#releaseAt = this.#book.nextRelease(now);
    this.#tell(now);
    const relayWanted =
      this.#active !== undefined && (this.#active.pathClass !== 'host' || this.#active.failed);
    if (this.#standby.request(now, relayWanted && !this.#book.hasRelay)) this.#pending.requestLease();
    if (this.#standby.release(now, !relayWanted && this.#book.hasRelay)) this.#pending.releaseLease();
    const warm = this.#role === undefined ? undefined : this.#standby.takeProbe(now);
    if (warm) this.#pending.probeRelay(warm);
    if (this.#pending.probing) return;
    const target = this.#round.take(now, this.#worthProbing);
    if (target) this.#pending.probe(target.link, target.address);
  }

  #choose(now: Instant): void {
    const active = this.#active;
    if (active === undefined) return;
    const other =
      this.#book.best(now, active, false) ?? (active.failed ? this.#book.best(now, active, true) : undefined);
    if (other !== undefined && (active.failed || this.#isBetter(now, other, active))) {
      this.#use(now, other, active, true);
    }
  }

  #span(now: Instant): void {
    const active = this.#active;
    const suspect = active !== undefined && active.suspect;
    const bridge = suspect
      ? (this.#book.best(now, active, false) ?? this.#book.best(now, active, true))
      : undefined;
    if (bridge === this.#bridge) return;
    this.#bridge = bridge;
    if (bridge !== undefined) this.#pending.bridge(bridge.path);
  }

  #isBetter(now: Instant, other: KnownPath, active: KnownPath): boolean {
    const step = rankOf(active.pathClass) - rankOf(other.pathClass);
    if (step !== 0) return step > 0;
    const settled = this.#changedAt === undefined || elapsed(this.#changedAt, now) >= RTT_CHANGE_INTERVAL;
    if (!settled || active.rtt === undefined || other.rtt === undefined) return false;
    const current = delayScore(active.path.remote, active.rtt);
    return isWorthwhile(current, delayScore(other.path.remote, other.rtt));
  }

  #use(now: Instant, known: KnownPath, before: KnownPath | undefined, activate: boolean): void {
    if (before !== undefined) before.suspect = false;
    this.#active = known;
    this.#changedAt = now;
    if (activate) this.#pending.activate(known.path);
    else this.#pending.keep();
    if (before?.key !== known.key) this.#pending.changed(before && reportOf(before), reportOf(known));
  }

  #tell(now: Instant): void {
    if (this.#tellAt === undefined || this.#tellAt > now || this.#role === undefined) return;
    this.#tellAt = undefined;
    const candidates = this.#ownCandidates();
    const text = keysOf(candidates);
    if (text === this.#told) return;
    this.#told = text;
    this.#toldAt = now;
    this.#pending.sendCandidates(encodeCandidates({ generation: this.#generation++, candidates }));
  }
}

const keysOf = (candidates: readonly Candidate[]): string =>
  candidates.map(({ address }) => address.key).join();
