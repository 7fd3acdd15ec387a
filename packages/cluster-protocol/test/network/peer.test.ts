import test from 'ava';
import { instant, seconds } from '../../src/base/index.js';
import { Peer } from '../../src/network/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

const random = new SeededRandom(1);
const START = 1_000;
const newPeer = (): Peer => new Peer(7, random, { allowDocumentation: false, forbidden: () => [] });

/** How long from `now` on the next try has to wait; `undefined`: it is not waited for one. */
const waits = ({ connection }: Peer, now: number): number | undefined =>
  connection.kind === 'waiting' ? connection.retryAt - now : undefined;

test('the first minute of tries has no pause between them, then they become rare', t => {
  const peer = newPeer();

  const pauses = Array.from({ length: 14 }, () => peer.failed(instant(START), random));

  for (const [i, base] of [0, 0, 0, 0, 0, 0, 2, 4, 8, 15, 30, 60, 60, 60].entries())
    t.true(pauses[i]! >= base * 1_000 && pauses[i]! <= base * 1_250, `${i}: ${pauses[i]}`);
  t.is(waits(peer, START), pauses.at(-1));
});

test('whatever changes begins the next try at once, and the pauses anew', t => {
  const peer = newPeer();
  for (let i = 0; i < 10; i++) peer.failed(instant(START), random);

  peer.encourage(instant(START + 5));

  t.is(waits(peer, START + 5), 0);
  t.is<number, number>(peer.failed(instant(START + 5), random), 0);
});

test('nothing shortens the wait of a node whose session was taken over', t => {
  const peer = newPeer();
  peer.replaced(instant(START), random);
  const wait = waits(peer, START)!;
  t.true(wait >= 1_000);

  peer.encourage(instant(START + 1));
  t.is(waits(peer, START), wait);
  peer.failed(instant(START + 2), random);
  peer.encourage(instant(START + 2));
  t.is(waits(peer, START), wait);

  peer.encourage(instant(START + wait));
  t.is(waits(peer, START + wait), 0);
});

test('a peer that lost its state is met again at once, but not when it loses it again within five seconds', t => {
  for (const [later, least] of [
    [seconds(5), 0],
    [seconds(5) - 1, 1_000],
  ] as const) {
    const peer = newPeer();
    peer.restarted(instant(START), random);
    t.is(waits(peer, START), 0);

    peer.restarted(instant(START + later), random);

    t.true(waits(peer, START + later)! >= least);
    t.is(waits(peer, START + later) === 0, least === 0);
  }
});

test('a round trip is measured once a second', t => {
  const peer = newPeer();

  t.deepEqual(
    [0, 1, 999, 1_000, 1_500, 2_000].filter(now => peer.measureDue(instant(now))),
    [0, 1_000, 2_000],
  );
});
