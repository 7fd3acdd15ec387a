import { type Duration, elapsed, type Instant, milliseconds, seconds } from '../base/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { TargetKind } from './candidate.js';
import type { LocalLink } from './local-candidates.js';
import { isRelay, type KnownPath } from './path-book.js';
import { classOf, type PathRoute, type PathScope, routeOf, scopeOf } from './path-score.js';
import type { RefusedTarget } from './peer-addresses.js';
import type { ProbeRecord } from './probe-round.js';

/** The path that all data to a peer takes. */
export interface PathReport {
  readonly path: PathRoute;
  readonly scope: PathScope;
  /** The peer's address; over a relay, the relay's. */
  readonly remote: SocketAddress;
  /** `undefined`: nothing has been measured yet. */
  readonly rtt: Duration | undefined;
}

/** What became of one address of the peer. */
export interface ExplainedCandidate {
  readonly address: SocketAddress;
  readonly kind: TargetKind;
  readonly state: 'active' | 'standby' | 'suspect' | 'failed' | 'probing' | 'waiting' | 'refused';
  /** What the last probes brought; for a refused address the rule that forbids to probe it. */
  readonly lastResult: string;
  /** Probes sent since it was named. */
  readonly probes: number;
}

/** What the relay dropped of our traffic to a peer, because everything that we send through it exceeds our rate. */
export interface RelayShaping {
  /** As far as the relay has told, since this node knows the peer. */
  readonly droppedBytes: number;
  readonly notices: number;
  /** What the relay allows. */
  readonly bytesPerSecond: number;
  /** When it told so last. */
  readonly at: Instant;
}

/** For so long after a notice the relay counts as the one that slows us down: it tells once a second while it does. */
const SHAPING_FRESH: Duration = seconds(5);

/** Why the path to a peer is what it is. */
export interface Explanation {
  /** `undefined`: there is no session. */
  readonly path: PathRoute | undefined;
  readonly scope: PathScope | undefined;
  /** One plain sentence for people. */
  readonly sentence: string;
  readonly rtt: Duration | undefined;
  /** The path that carries what the active one carries, while that is suspect. */
  readonly bridge: PathReport | undefined;
  readonly candidates: readonly ExplainedCandidate[];
  /** `undefined`: the relay never dropped anything for our rate. */
  readonly shaping: RelayShaping | undefined;
  /** When the peer's addresses are probed next, from now; `undefined`: there is no need. */
  readonly nextTry: Duration | undefined;
}

/** What an explanation is made of. */
export interface PathFacts {
  readonly now: Instant;
  readonly active: KnownPath | undefined;
  readonly bridge: KnownPath | undefined;
  /** Whether the peer told its addresses in this session. */
  readonly told: boolean;
  readonly records: readonly ProbeRecord[];
  readonly refused: readonly RefusedTarget[];
  readonly paths: readonly KnownPath[];
  readonly isGood: (known: KnownPath) => boolean;
  /** Until when a path that answers is held back; `undefined`: none is. */
  readonly heldUntil: Instant | undefined;
  readonly nextRound: Instant | undefined;
  readonly shaping: RelayShaping | undefined;
}

/** The report of one path. */
export const reportOf = ({ path, pathClass, rtt }: KnownPath): PathReport => ({
  path: routeOf(pathClass),
  scope: scopeOf(pathClass),
  remote: path.remote,
  rtt,
});

/** Says why the path is what it is. */
export function explainPath(facts: PathFacts): Explanation {
  const { active, now, nextRound } = facts;
  const searching = active === undefined || active.failed || isRelay(active);
  const nextTry =
    searching && nextRound !== undefined ? milliseconds(Math.max(0, elapsed(now, nextRound))) : undefined;
  return {
    path: active && routeOf(active.pathClass),
    scope: active && scopeOf(active.pathClass),
    sentence: sentenceOf(facts, nextTry),
    rtt: active?.rtt,
    bridge: facts.bridge && reportOf(facts.bridge),
    candidates: candidatesOf(facts),
    shaping: facts.shaping,
    nextTry,
  };
}

/** What is known of the way to the NMN, which no path agent steers. */
export interface NmnFacts {
  /** Where the NMN is tried. */
  readonly addresses: readonly SocketAddress[];
  /** The address at which it answers; `undefined`: there is no session with it. */
  readonly remote: SocketAddress | undefined;
  readonly rtt: Duration | undefined;
  readonly links: readonly LocalLink[];
  /** Why there is no session. */
  readonly away: string;
}

/** The path to the NMN; `undefined`: there is no session with it. */
export const reportNmn = ({ remote, rtt, links }: NmnFacts): PathReport | undefined =>
  remote && { path: 'direct', scope: scopeOf(classOf(remote, links)), remote, rtt };

/** Says what becomes of the way to the NMN. */
export function explainNmn(facts: NmnFacts): Explanation {
  const { addresses: all, remote, rtt, links, away } = facts;
  const report = reportNmn(facts);
  const places = all.map(({ key }) => key).join(', ');
  const sentence =
    remote === undefined
      ? places === ''
        ? 'no path, because no address of the NMN is known'
        : `no path, because the NMN at ${places} cannot be used: ${away}`
      : `${PLACES[classOf(remote, links)]}${rtt === undefined ? '' : `, ${spanOf(rtt)}`}: the NMN answers at ${remote.key}`;
  return {
    path: report?.path,
    scope: report?.scope,
    sentence,
    rtt,
    bridge: undefined,
    candidates: all.map((address): ExplainedCandidate => {
      const isActive = address.key === remote?.key;
      const state = isActive ? 'active' : 'waiting';
      const lastResult = isActive ? 'in use' : remote ? 'not needed' : away;
      return { address, kind: 'remembered', state, lastResult, probes: 0 };
    }),
    shaping: undefined,
    nextTry: undefined,
  };
}

const PLACES = {
  host: 'direct on this machine',
  lan: 'direct on the local network',
  direct: 'direct over the internet',
  peerRelay: 'over another member of the network',
  relay: 'over the relay',
} as const;

const BRIDGES = {
  host: 'this machine',
  lan: 'the local network',
  direct: 'the internet',
  peerRelay: 'another member of the network',
  relay: 'the relay',
} as const;

function sentenceOf(facts: PathFacts, nextTry: Duration | undefined): string {
  const { active, bridge } = facts;
  if (active === undefined) return 'no path, because there is no session with the peer';
  const place = PLACES[active.pathClass] + (active.rtt === undefined ? '' : `, ${spanOf(active.rtt)}`);
  if (active.failed)
    return `${place}, but it stopped answering and no other path is known${laterOf(nextTry)}`;
  if (active.suspect) {
    const over =
      bridge === undefined ? 'no other path is known' : `bridged over ${BRIDGES[bridge.pathClass]}`;
    return `${place}, suspect because an answer is overdue, ${over}`;
  }
  if (isRelay(active)) return `${place}, ${whyRelayed(facts)}${shapedOf(facts)}${laterOf(nextTry)}`;
  return `${place}: the peer answers at ${active.path.remote.key}`;
}

function whyRelayed({ now, records, refused, told, paths, heldUntil }: PathFacts): string {
  if (heldUntil !== undefined) {
    return `because the direct path failed repeatedly and is not trusted for another ${spanOf(elapsed(now, heldUntil))}`;
  }
  const failed = paths.find(known => known.failed && !isRelay(known));
  if (failed) return `because the direct path to ${failed.path.remote.key} stopped answering`;
  if (records.length === 0) {
    if (refused.length === 1) return 'because the only address of the peer may not be probed from here';
    if (refused.length > 1)
      return `because none of ${refused.length} addresses of the peer may be probed from here`;
    return told
      ? 'because no address of the peer is known'
      : 'because the peer has not told its addresses yet';
  }
  const probing = records.filter(({ due }) => due !== undefined).length;
  if (probing > 0)
    return `while ${addresses(probing)} of the peer ${probing === 1 ? 'is' : 'are'} being probed`;
  const most = Math.max(...records.map(({ sent }) => sent));
  if (most === 0) return `because ${addresses(records.length)} of the peer could not be probed yet`;
  const none = records.length === 1 ? 'the only address' : `none of ${addresses(records.length)}`;
  const answered = records.length === 1 ? 'did not answer' : 'answered';
  return `because ${none} of the peer ${answered} ${most} ${most === 1 ? 'probe' : 'probes'}`;
}

/** Said while it happens: sending less, or a direct path, is what helps. */
function shapedOf({ now, shaping }: PathFacts): string {
  if (shaping === undefined || elapsed(shaping.at, now) > SHAPING_FRESH) return '';
  const rate = Math.round(shaping.bytesPerSecond / 1_024);
  return `; the relay drops what this node sends above ${rate} KiB/s`;
}

const laterOf = (nextTry: Duration | undefined): string =>
  nextTry === undefined ? '' : `; next try in ${spanOf(nextTry)}`;

const addresses = (count: number): string => (count === 1 ? '1 address' : `${count} addresses`);

function spanOf(span: Duration): string {
  if (span >= 950) return `${Math.round(span / 1_000)} s`;
  return span >= 1 ? `${Math.round(span)} ms` : `${span.toFixed(1)} ms`;
}

function candidatesOf(facts: PathFacts): readonly ExplainedCandidate[] {
  const { active, records, refused, paths } = facts;
  const pathTo = (key: string): KnownPath | undefined =>
    paths.find(known => !isRelay(known) && known.path.remote.key === key);
  const targets = records.map((record): ExplainedCandidate => {
    const { address, kind } = record.target;
    const state = stateOf(facts, pathTo(address.key), record);
    return { address, kind, state, lastResult: resultOf(record, pathTo(address.key)), probes: record.total };
  });
  const heard = paths
    .filter(
      known => !isRelay(known) && !records.some(({ target }) => target.address.key === known.path.remote.key),
    )
    .map((known): ExplainedCandidate => ({
      address: known.path.remote,
      kind: 'heard',
      state: stateOf(facts, known, undefined),
      lastResult: known === active ? 'in use' : resultOf(undefined, known),
      probes: 0,
    }));
  const forbidden = refused.map(({ address, kind, because }): ExplainedCandidate => ({
    address,
    kind,
    state: 'refused',
    lastResult: because,
    probes: 0,
  }));
  return [...targets, ...heard, ...forbidden];
}

function stateOf(
  { active, isGood }: PathFacts,
  known: KnownPath | undefined,
  record: ProbeRecord | undefined,
): ExplainedCandidate['state'] {
  if (known?.failed) return 'failed';
  if (known?.suspect) return 'suspect';
  if (known !== undefined && known === active) return 'active';
  if (record?.due !== undefined) return 'probing';
  return known !== undefined && isGood(known) ? 'standby' : 'waiting';
}

function resultOf(record: ProbeRecord | undefined, known: KnownPath | undefined): string {
  if (known?.failed) return 'stopped answering';
  if (record?.answered !== false && known?.provenAt !== undefined) {
    return known.rtt === undefined ? 'answered' : `answered in ${spanOf(known.rtt)}`;
  }
  if (record === undefined) return 'not proved yet';
  if (record.total === 0) return 'not probed yet';
  return `no answer to ${record.sent} ${record.sent === 1 ? 'probe' : 'probes'}`;
}
