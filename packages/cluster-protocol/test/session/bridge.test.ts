import test, { type ExecutionContext } from 'ava';

import { instant, type Instant } from '../../src/base/index.js';
import { BRIDGE_RESERVE, BRIDGE_SHARE } from '../../src/session/bridge.js';
import type { PathId, SessionConfig, SessionEvent } from '../../src/session/index.js';
import { other, SessionPair, sendAll, testMessage, type PairOptions, type Side } from './pair.js';

const DIRECT: PathId = 0;
const STANDBY: PathId = 5;
/** Messages that are under way for long enough to be cut off in their middle. */
const LARGE = 60;
const SIDES = ['a', 'b'] as const;

/** Two sessions with a direct path and a standby that both have proved, and agents that bridge and leave as the node's do. */
class Bridged extends SessionPair {
  /** When each message came: side, sequence, instant. */
  readonly arrivals: Record<Side, { sequence: number; at: Instant }[]> = { a: [], b: [] };
  readonly cut = new Set<PathId>();
  readonly #seen: Record<Side, number> = { a: 0, b: 0 };

  constructor(options: PairOptions = {}, bridging = true) {
    super({ ...options, config: { followPeer: false, ...options.config } });
    this.drop = ({ path }) => this.cut.has(path);
    this.onDrained = side => this.#steer(side, bridging);
    const lossless = this.link.loss;
    this.link.loss = 0;
    for (const side of SIDES) this.sides[side].ping(this.now);
    this.run(() => false, 500);
    for (const side of SIDES) this.sides[side].probePath(this.now, STANDBY);
    this.run(() => false, 500);
    this.link.loss = lossless;
  }

  /** Sends a message of a few bytes from a side every `interval` ms until `end`. */
  talk(side: Side, interval: number, end: number, from = 0): number {
    let next = from;
    while (this.now < end) {
      sendAll(this, side, [100], next++);
      this.runUntil(instant(this.now + interval));
    }
    return next - from;
  }

  /** The longest time between two arrivals at a side. */
  longestSilence(side: Side): number {
    const times = this.arrivals[side].map(({ at }) => at);
    return Math.max(...times.slice(1).map((at, i) => at - times[i]!));
  }

  #steer(side: Side, bridging: boolean): boolean {
    const fresh = this.events[side].slice(this.#seen[side]);
    this.#seen[side] = this.events[side].length;
    const session = this.sides[side];
    for (const event of fresh) {
      if (event.kind === 'message') this.arrivals[side].push({ sequence: event.sequence, at: this.now });
      if (event.kind === 'pathSuspect' && bridging) session.bridgePath(STANDBY);
      if (event.kind === 'pathFailed' && event.path === DIRECT) session.activatePath(this.now, STANDBY);
    }
    return fresh.some(({ kind }) => kind === 'pathSuspect' || kind === 'pathFailed');
  }
}

const sequencesOf = (events: readonly SessionEvent[]): number[] =>
  events.flatMap(event => (event.kind === 'message' ? [event.sequence] : [])).sort((x, y) => x - y);

function assertOnce(t: ExecutionContext, pair: SessionPair, side: Side, count: number, seed = 0): void {
  const expected = Array.from({ length: count }, (_, i) => i);
  t.deepEqual(sequencesOf(pair.events[side]), expected, `seed ${seed}, at ${side}`);
}

test('commands on a path that is cut are silent for a probe timeout and one way, and none is lost or comes twice', t => {
  for (const interval of [3, 10, 50]) {
    const pair = new Bridged({ link: { delay: 20 } });
    let sent = pair.talk('a', interval, pair.now + 1_000);
    const timeout = pair.a.probeTimeout();

    pair.cut.add(DIRECT);
    sent += pair.talk('a', interval, pair.now + 2_000, sent);
    pair.run(() => pair.count('a', 'messageAcknowledged') === sent, 5_000);

    assertOnce(t, pair, 'b', sent);
    // The last ack came one way after the cut, and what the standby carries takes one way too.
    t.true(pair.longestSilence('b') <= timeout + 20 + interval + 1, `${pair.longestSilence('b')} ms`);
    t.is(pair.a.activePath, STANDBY);
    t.true(pair.a.statistics().doubledPackets > 0);
    t.is(pair.a.statistics().spuriousLosses, 0);
  }
});

test('both directions of a command and its answer are bridged, each by its sender', t => {
  const pair = new Bridged({ link: { delay: 20 } });
  const before = pair.talk('a', 10, pair.now + 500);
  pair.talk('b', 10, pair.now + 500);
  const timeout = Math.max(pair.a.probeTimeout(), pair.b.probeTimeout());

  pair.cut.add(DIRECT);
  let at = before;
  for (const end = pair.now + 1_000; pair.now < end; at++) {
    for (const side of SIDES) sendAll(pair, side, [100], at);
    pair.runUntil(instant(pair.now + 10));
  }
  pair.run(() => pair.open.a.size + pair.open.b.size === 0, 5_000);

  for (const side of SIDES) assertOnce(t, pair, side, at);
  for (const side of SIDES) t.true(pair.longestSilence(side) <= timeout + 20 + 10 + 500 + 1);
  const late = (side: Side): number =>
    Math.max(
      ...pair.arrivals[side]
        .filter(({ sequence }) => sequence > before)
        .slice(1)
        .map((arrival, i, all) => (i === 0 ? 0 : arrival.at - all[i - 1]!.at)),
    );
  for (const side of SIDES) t.true(late(side) <= timeout + 20 + 10 + 1, `${side}: ${late(side)} ms`);
});

test('a transfer on a path that is cut goes on over the standby, and commands beside it are no later', t => {
  for (let seed = 0; seed < 10; seed++) {
    const pair = new Bridged({ seed, link: { delay: 20 } });
    const large = new Array<number>(LARGE).fill(65_536);
    sendAll(pair, 'a', large);
    pair.run(() => pair.sent.a >= 1_000 + 100 * seed);
    const timeout = pair.a.probeTimeout();
    pair.cut.add(DIRECT);
    const start = pair.now;
    pair.sides.a.sendMessage(pair.now, {
      sequence: LARGE,
      floor: 0,
      service: 7,
      bytes: testMessage(LARGE, 100),
      priority: 0,
    });

    const done = pair.run(() => pair.count('a', 'messageAcknowledged') === LARGE + 1, 20_000);

    t.true(done, `seed ${seed}`);
    assertOnce(t, pair, 'b', LARGE + 1, seed);
    const command = pair.arrivals.b.find(({ sequence }) => sequence === LARGE)!;
    t.true(command.at - start <= timeout + 3 * 20 + 1, `seed ${seed}: ${command.at - start} ms`);
    t.is(pair.a.activePath, STANDBY);
  }
});

test('when the first path recovers, nothing goes over the second one any more, and nobody has moved', t => {
  const pair = new Bridged({ link: { delay: 20 }, configOf: { b: { followPeer: true } } });
  let sent = pair.talk('a', 10, pair.now + 500);

  pair.cut.add(DIRECT);
  while (pair.count('a', 'pathSuspect') === 0) sent += pair.talk('a', 10, pair.now + 10, sent);
  pair.cut.clear();
  while (pair.count('a', 'pathAlive') === 0) sent += pair.talk('a', 10, pair.now + 10, sent);
  const { doubledPackets } = pair.a.statistics();
  const standby = pair.a.pathStatistics(STANDBY)!.sentBytes;
  sent += pair.talk('a', 10, pair.now + 1_000, sent);
  pair.run(() => pair.open.a.size === 0);

  t.true(doubledPackets > 0);
  t.is(pair.a.statistics().doubledPackets, doubledPackets);
  t.true(pair.a.pathStatistics(STANDBY)!.sentBytes - standby < 200, 'path frames at most');
  t.is(pair.count('a', 'pathFailed'), 0);
  t.is(pair.a.activePath, DIRECT);
  t.is(pair.b.activePath, DIRECT, 'the packet with the highest number went over the first path');
  assertOnce(t, pair, 'b', sent);
});

test('a path that loses a packet in twenty but lives has an eighth of its traffic doubled at most', t => {
  for (let seed = 0; seed < 5; seed++) {
    const pair = new Bridged({ seed, link: { delay: 20 } });
    pair.drop = ({ path }) => path === DIRECT && pair.random.fraction() < 0.05;
    const before = pair.a.pathStatistics(DIRECT)!.sentBytes;
    const bridged = pair.a.pathStatistics(STANDBY)!.sentBytes;

    const sent = pair.talk('a', 30, pair.now + 30_000);
    pair.run(() => pair.open.a.size === 0, 5_000);

    assertOnce(t, pair, 'b', sent, seed);
    const first = pair.a.pathStatistics(DIRECT)!.sentBytes - before;
    const second = pair.a.pathStatistics(STANDBY)!.sentBytes - bridged;
    t.true(second <= first * BRIDGE_SHARE, `seed ${seed}: ${second} of ${first} bytes`);
    t.is(pair.a.activePath, DIRECT, `seed ${seed}`);
  }
});

test('what goes over the second path keeps to its window, and to the reserve', t => {
  const pair = new Bridged({ link: { delay: 20 } });
  sendAll(pair, 'a', new Array<number>(LARGE).fill(65_536));
  pair.run(() => pair.sent.a >= 1_500);
  pair.drop = ({ path }) => {
    const { bytesInFlight, congestionWindow } = pair.a.pathStatistics(STANDBY)!;
    if (pair.a.activePath === DIRECT) t.true(bytesInFlight <= congestionWindow);
    return path === DIRECT || pair.a.activePath === DIRECT;
  };
  const before = pair.a.pathStatistics(STANDBY)!.sentBytes;

  pair.run(() => pair.count('a', 'pathFailed') === 1);

  const spent = pair.a.pathStatistics(STANDBY)!.sentBytes - before;
  t.true(spent > 0 && spent <= BRIDGE_RESERVE, `${spent} bytes`);
});

test('without a second path nothing is doubled, and packets are the same as if nobody bridged', t => {
  const sizes = (bridging: boolean): number[] => {
    const pair = new Bridged({ link: { delay: 20 } }, bridging);
    for (const side of SIDES) pair.sides[side].removePath(pair.now, STANDBY);
    pair.onDrained = () => false;
    pair.recorded = [];
    const sent = pair.talk('a', 10, pair.now + 300);
    pair.cut.add(DIRECT);
    pair.talk('a', 10, pair.now + 1_000, sent);
    t.is(pair.a.statistics().doubledPackets, 0);
    return pair.recorded.map(({ bytes }) => bytes.length);
  };

  t.deepEqual(sizes(true), sizes(false));
});

test('a path that was not proved bridges nothing', t => {
  const pair = new Bridged();
  pair.a.addPath(pair.now, 9);

  t.throws(() => pair.a.bridgePath(9), { code: 'INVALID_STATE' });
  t.throws(() => pair.a.bridgePath(10), { code: 'INVALID_STATE' });
});

test('datagrams are never doubled', t => {
  const pair = new Bridged({ link: { delay: 20 } });
  let sent = 0;
  pair.drop = ({ path, from }) => from === 'b' && path === DIRECT;

  for (const end = pair.now + 500; pair.now < end;) {
    pair.a.sendDatagram(pair.now, 7, testMessage(sent++, 50));
    sendAll(pair, 'a', [50], sent);
    pair.runUntil(instant(pair.now + 10));
  }

  t.true(pair.a.statistics().doubledPackets > 0);
  const bytes = pair.events.b.flatMap(event => (event.kind === 'datagram' ? [event.bytes.join()] : []));
  t.is(new Set(bytes).size, bytes.length);
});

test('a session that nobody steers bridges over the path that it heard of last, and moves there', t => {
  const follow: Partial<SessionConfig> = { followPeer: true };
  const pair = new SessionPair({ link: { delay: 20 }, config: follow });
  for (const side of SIDES) pair.sides[side].ping(pair.now);
  pair.run(() => false, 500);
  for (const side of SIDES) pair.sides[side].probePath(pair.now, STANDBY);
  pair.run(() => false, 500);
  const timeout = pair.a.probeTimeout();
  pair.drop = ({ path }) => path === DIRECT;
  const start = pair.now;

  sendAll(pair, 'a', [100]);
  pair.run(() => pair.messages('b').length === 1);
  const silence = pair.now - start;
  pair.run(() => pair.a.activePath === STANDBY, 2_000);

  t.true(silence <= timeout + 20 + 1, `${silence} ms`);
  t.is(pair.a.activePath, STANDBY);
  t.is(pair.b.activePath, STANDBY);
});

test('a program that says something all the time does not put off that its path is noticed to be dead', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', [10]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
  pair.drop = () => true;
  const start = pair.now;
  const timeout = pair.a.probeTimeout();

  for (let sequence = 1; pair.count('a', 'pathFailed') === 0 && pair.now < start + 5_000; sequence++) {
    sendAll(pair, 'a', [10], sequence);
    pair.runUntil(instant(pair.now + 5));
  }

  t.true(pair.now - start <= 3 * timeout + 10, `${pair.now - start} ms`);
});

test('whatever is cut, lost and healed: messages and streams come once and whole over two paths', t => {
  for (let seed = 0; seed < 40; seed++) {
    const pair = new Bridged({ seed, link: { delay: 15, jitter: seed % 3 === 0 ? 20 : 0 } });
    const { random } = pair;
    pair.drop = ({ path }) => pair.cut.has(path) || random.fraction() < (seed % 4) * 0.02;
    const counts = { a: 0, b: 0 };
    for (let round = 0; round < 40; round++) {
      for (const side of SIDES) {
        const lengths = Array.from({ length: random.below(4) }, () => 1 + random.below(4_000));
        sendAll(pair, side, lengths, counts[side]);
        counts[side] += lengths.length;
      }
      if (random.fraction() < 0.15) pair.cut.add(random.fraction() < 0.7 ? DIRECT : STANDBY);
      if (random.fraction() < 0.3) pair.cut.clear();
      pair.runUntil(instant(pair.now + random.below(150)));
    }
    pair.cut.clear();
    const done = pair.run(() => pair.open.a.size + pair.open.b.size === 0, 20_000);

    t.true(done, `seed ${seed}`);
    for (const side of SIDES) assertOnce(t, pair, other(side), counts[side], seed);
  }
});
