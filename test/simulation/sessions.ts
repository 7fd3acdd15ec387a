import { type CryptoProvider, milliseconds, seconds } from '@coconet/cluster-protocol/core';
import {
  drawBadLink,
  drawBlackHole,
  HEALED_LINK,
  type Recorder,
  SeededRandom,
} from '@coconet/cluster-protocol/testing';
import { Duet, type Name } from '../../packages/cluster-protocol/test/interop/duet.js';
import type { Run } from './run.js';

/** An offer of new keys may wait until the old ones are gone, 30 s later at most, and then takes a round trip. */
const SETTLING = seconds(40);

/** Steps of bad luck, about a second each. */
const STEPS = 50;
/** A healed network is connected, and has delivered everything, within this. */
const HEALING = seconds(30);
/** Without anything to say, nothing may be said for so long. */
const QUIET = 60_000;
/** Messages that wait at once: a window of them is more than any link here carries. */
const MOST_WAITING = 200;

/**
 * Two endpoints over a link for a minute of bad luck drawn from a seed, with messages, datagrams and streams both ways;
 * then everything heals, and at last everything ends.
 */
export function runSessions(seed: number, crypto: CryptoProvider, recorder?: Recorder): Run {
  const luck = new SeededRandom(seed).fork('luck');
  const quietPeer = luck.below(3) > 0;
  const nat = luck.below(2) === 0;
  const duet = new Duet({
    seed,
    crypto,
    ...(recorder && { recorder }),
    link: luck.below(4) === 0 ? {} : drawBadLink(luck),
    nat,
    mutual: luck.below(2) === 0,
    cautious: luck.below(4) === 0,
    config: {
      congestionControl: luck.below(4) === 0 ? 'newReno' : 'cubic',
      ackDelay: milliseconds(luck.below(2) === 0 ? 25 : luck.below(100)),
      ...(luck.below(3) === 0 && { rekeyAfterPackets: 10 + luck.below(500) }),
      ...(luck.below(3) === 0 && { rekeyAfter: seconds(10 + luck.below(20)) }),
      keepAlive: quietPeer ? undefined : seconds(1 + luck.below(15)),
    },
  });
  for (const { traffic } of duet.parties) traffic.lazy = luck.below(3) === 0 ? 3 : 0;
  for (let step = 0; step < STEPS; step++) {
    misfortune(duet, luck);
    talk(duet, luck);
    duet.run(luck.below(2_000));
  }
  const problems = [...heal(duet), ...(quietPeer ? beQuiet(duet) : []), ...end(duet)];
  return {
    problems: [...problems, ...duet.nonces.reused],
    virtual: duet.world.now,
    hash: duet.world.recorder.hash,
    counts: {
      datagrams: duet.world.recorder.datagrams,
      letters: duet.ledger.delivered,
      keys: duet.nonces.keys,
      streams: duet.streams.halves.size,
      streamBytes: duet.streams.bytes,
    },
  };
}

function misfortune(duet: Duet, luck: SeededRandom): void {
  const name: Name = luck.below(2) === 0 ? 'a' : 'b';
  const { board } = duet.host(name);
  switch (luck.below(16)) {
    case 0:
    case 1:
      board.setConditions(drawBadLink(luck));
      return;
    case 2:
      board.setConditions(drawBlackHole(luck));
      return;
    case 3:
      duet.world.network.cut('a', 'b');
      return;
    case 4:
      // One way: what it says is lost, and it hears everything.
      for (const { up } of board.attachments) up.set({ down: luck.below(2) === 0 });
      return;
    case 5:
      duet.nat?.rebind();
      return;
    case 6:
      if (luck.below(4) === 0) duet.restart(name, luck.below(3_000), luck.below(2) === 0);
      return;
    case 7:
      if (luck.below(3) === 0) duet.host(name).leapMonotonicClock(milliseconds(luck.below(20_000)));
      return;
    case 8:
      duet.host(name).jumpWallClock(milliseconds(luck.below(7_200_000) - 3_600_000));
      return;
    case 9:
    case 10:
    case 11:
      repair(duet);
      return;
    default:
  }
}

function talk(duet: Duet, luck: SeededRandom): void {
  for (const name of ['a', 'b'] as const)
    duet.do(name, party => {
      party.traffic.catchUp();
      for (let i = luck.below(6); i > 0 && party.waiting < MOST_WAITING; i--) {
        const sequence = party.send(luck.below(luck.below(8) === 0 ? 20_000 : 900), luck.below(8));
        if (luck.below(30) === 0) party.cancel(sequence);
      }
      // Now and then before a crash, a cut or another change that is not through.
      if (luck.below(12) === 0) party.rekey();
      for (let i = luck.below(4); i > 0; i--) party.datagram(luck.below(1_000));
      if (luck.below(4) === 0)
        party.traffic.begin(luck.below(luck.below(6) === 0 ? 300_000 : 5_000), {
          service: 0x8000,
          priority: luck.below(8),
          oneWay: luck.below(3) === 0,
        });
      if (luck.below(8) === 0) party.traffic.giveUpOne();
    });
}

function repair(duet: Duet): void {
  duet.world.network.heal();
  duet.setLink(HEALED_LINK);
}

function* heal(duet: Duet): Generator<string> {
  repair(duet);
  // Who lost its session and cannot call waits until the other one has something to say.
  for (const name of ['a', 'b'] as const) duet.do(name, party => party.send(100));
  const readers = (): boolean => {
    for (const name of ['a', 'b'] as const)
      duet.do(name, ({ traffic }) => {
        traffic.lazy = 0;
        traffic.catchUp();
      });
    return duet.settled;
  };
  if (duet.until(readers, HEALING) === undefined) {
    for (const { name, session, waiting } of duet.parties)
      yield `${HEALING} ms after everything had healed, ${name} ${session ? 'has a' : 'has no'} session and ${waiting} messages to send`;
    yield* duet.streams.judge();
  }
  const [before] = duet.parties;
  for (const name of ['a', 'b'] as const) duet.do(name, party => party.send(100));
  if (before?.session && duet.until(() => duet.settled, seconds(5)) === undefined)
    yield 'a message over the healed link took more than five seconds';
  yield* duet.ledger.judge();
  yield* duet.streams.problems;
}

function* beQuiet(duet: Duet): Generator<string> {
  duet.run(SETTLING);
  const before = duet.world.recorder.datagrams;
  duet.run(QUIET);
  const sent = duet.world.recorder.datagrams - before;
  if (sent > 0) yield `${sent} datagrams passed while nobody had anything to say`;
  for (const { name, endpoint, session } of duet.parties)
    if (endpoint.pollTimeout() !== undefined)
      yield `${name} has a timer left while nobody has anything to say: ${session?.nextTimer}`;
}

function* end(duet: Duet): Generator<string> {
  for (const { endpoint, name } of duet.parties)
    if (endpoint.streamBytes > 0)
      yield `${name} holds ${endpoint.streamBytes} bytes for streams that are over`;
  duet.do('a', party => {
    party.close(duet.host('a').now());
  });
  duet.do('b', party => {
    party.wanted = false;
  });
  duet.run(seconds(60));
  for (const { endpoint, name } of duet.parties) {
    if (endpoint.size > 0) yield `${name} holds ${endpoint.size} sessions and handshakes after the end`;
    if (endpoint.paths.size > 0) yield `${name} holds ${endpoint.paths.size} paths after the end`;
    if (endpoint.pollTimeout() !== undefined) yield `${name} has a timer left after the end`;
  }
}
