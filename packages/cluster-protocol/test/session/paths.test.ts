import test from 'ava';
import { instant } from '../../src/base/index.js';
import { MAX_PATHS, PathTable } from '../../src/session/path-table.js';
import { SessionPath } from '../../src/session/session-path.js';
import { SessionPair, sendAll } from './pair.js';

test('a transfer survives a rebinding of the address in its middle', t => {
  for (let seed = 0; seed < 30; seed++) {
    const pair = new SessionPair({ seed, link: { delay: 20, loss: seed % 3 === 0 ? 0.05 : 0 } });
    const lengths = new Array<number>(12).fill(65_536);
    const [from, to] = seed % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
    let rebound = false;
    // The initiator's NAT gives it a new port: b sees path 1, and what b sends to path 0 reaches nobody any more.
    pair.pathSeen = flight => (flight.from === 'a' ? (rebound ? 1 : 0) : 0);
    pair.drop = flight => rebound && flight.from === 'b' && flight.path === 0;

    sendAll(pair, from, lengths);
    pair.run(() => pair.sent[from] >= 200);
    rebound = true;
    const start = pair.now;
    const done = pair.run(() => pair.count(from, 'messageAcknowledged') === lengths.length, 20_000);

    t.true(done, `seed ${seed}: ${pair.messages(to).length} of ${lengths.length}`);
    t.is(pair.messages(to).length, lengths.length);
    t.is(pair.b.activePath, 1);
    t.true(pair.now - start < 5_000);
    t.true(pair.events.b.some(event => event.kind === 'peerPath' && event.path === 1));
    t.true(pair.events.b.some(event => event.kind === 'pathValidated' && event.path === 1));
  }
});

test('a switch of the path in the middle of a transfer loses nothing', t => {
  for (let seed = 0; seed < 20; seed++) {
    const pair = new SessionPair({ seed, link: { delay: 30 }, config: { followPeer: false } });
    const lengths = new Array<number>(10).fill(65_536);

    sendAll(pair, 'a', lengths);
    pair.run(() => false, 100);
    pair.a.probePath(pair.now, 5, true);
    pair.run(() => pair.count('a', 'pathValidated') === 1);
    pair.a.activatePath(pair.now, 5);
    if (seed % 2 === 0) pair.drop = flight => flight.path === 0;
    if (seed % 4 === 1) pair.a.removePath(pair.now, 0);

    t.true(
      pair.run(() => pair.count('a', 'messageAcknowledged') === lengths.length, 20_000),
      `seed ${seed}`,
    );
    t.is(pair.messages('b').length, lengths.length);
    t.true(pair.a.pathStatistics(5)!.sentBytes > 65_536);
  }
});

test('a path is validated by its own answer alone, and tells its round trip', t => {
  const pair = new SessionPair({ link: { delay: 40 } });
  pair.drop = flight => flight.path === 3 && flight.from === 'b';

  pair.a.probePath(pair.now, 3);
  pair.run(() => false, 1_000);
  t.is(pair.count('a', 'pathValidated'), 0);
  t.false(pair.a.pathStatistics(3)?.validated);
  pair.drop = () => false;
  pair.a.probePath(pair.now, 3);
  pair.run(() => pair.count('a', 'pathValidated') === 1, 1_000);

  t.deepEqual(
    pair.events.a.find(event => event.kind === 'pathValidated'),
    { kind: 'pathValidated', path: 3, rtt: 80 as never },
  );
  t.is(pair.a.activePath, 0);
  t.is(pair.b.activePath, 0, 'a probe alone moves nobody');
  t.is(pair.count('b', 'peerPath'), 0);
});

test('a full probe fills the working size, a plain one is short', t => {
  const pair = new SessionPair();
  pair.recorded = [];

  pair.a.probePath(pair.now, 1);
  pair.drain();
  pair.a.probePath(pair.now, 2, true);
  pair.drain();

  t.deepEqual(
    pair.recorded.map(flight => flight.bytes.length),
    [34, 1_195],
  );
});

test('data goes to an unproved path only as far as three times what came from it', t => {
  const pair = new SessionPair({ provenPath: false });
  sendAll(pair, 'b', [65_536]);
  pair.run(() => false, 5_000);
  t.is(pair.sent.b, 0, 'the responder says nothing before the initiator proved itself');

  pair.a.ping(pair.now);
  pair.run(() => pair.messages('a').length === 1, 3_000);

  t.is(pair.messages('a').length, 1);
  t.is(pair.count('b', 'confirmed'), 1);
});

test('the budget of an unproved address is three times what came from it, to the byte', t => {
  const path = new SessionPath(1, 1_200, false, instant(0), 'cubic');

  t.is(path.budget, 0);
  path.receivedBytes = 100;
  t.is(path.budget, 300);
  path.sentBytes = 299;
  t.is(path.budget, 1);
  path.sentBytes = 500;
  t.is(path.budget, 0);
  path.validated = true;
  t.is(path.budget, Infinity);
});

test('a packet that is not the newest moves nothing, wherever it comes from', t => {
  const pair = new SessionPair();
  let kept: Uint8Array | undefined;
  pair.drop = ({ from, bytes }) => from === 'a' && kept === undefined && (kept = bytes.slice()).length > 0;
  sendAll(pair, 'a', [100, 100]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 2, 5_000);

  pair.inject({ from: 'a', path: 9, bytes: kept! });
  pair.run(() => false, 5_000);

  t.is(pair.count('b', 'peerPath'), 0);
  t.is(pair.b.pathStatistics(9)?.sentBytes, 0);
});

test('what was under way on a path that is removed goes over another at once', t => {
  const pair = new SessionPair({ config: { followPeer: false } });
  pair.a.probePath(pair.now, 5);
  pair.run(() => pair.count('a', 'pathValidated') === 1);
  pair.run(() => false, 1_000);
  pair.a.activatePath(pair.now, 5);
  pair.drop = ({ path }) => path === 5;

  sendAll(pair, 'a', [1_000]);
  pair.drain();
  pair.a.activatePath(pair.now, 0);
  pair.a.removePath(pair.now, 5);

  t.true(pair.run(() => pair.count('a', 'messageAcknowledged') === 1, 100));
});

test('the table of paths gives up an unproved one first, then the one heard of longest ago, never the one to keep', t => {
  const table = new PathTable();
  const paths = Array.from({ length: MAX_PATHS }, (_, id) => {
    const path = new SessionPath(id, 1_200, id !== 5, instant(0), 'cubic');
    path.lastReceived = instant(1_000 + id);
    return path;
  });
  for (const path of paths) t.true(table.add(path));

  const order: number[] = [];
  for (let next = table.evictable(paths[0]!); next !== undefined; next = table.evictable(paths[0]!)) {
    order.push(next.id);
    table.remove(next);
    const fresh = new SessionPath(100 + order.length, 1_200, true, instant(0), 'cubic');
    fresh.lastReceived = instant(9_000);
    fresh.packetsInFlight = 1;
    table.add(fresh);
  }

  t.deepEqual(order, [5, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
});

test('a copied packet from another address moves nothing for longer than until the next one', t => {
  for (let seed = 0; seed < 200; seed++) {
    const pair = new SessionPair({ seed, link: { delay: 20 } });
    let racing = true;
    pair.drop = flight => {
      // Somebody on the way sends a copy five milliseconds sooner from an address of its own (path 9), and carries nothing back.
      if (flight.from === 'a' && racing) pair.inject({ ...flight, path: 9, bytes: flight.bytes.slice() }, 15);
      return flight.from === 'b' && flight.path === 9;
    };

    sendAll(pair, 'a', new Array<number>(5).fill(1_000));
    sendAll(pair, 'b', new Array<number>(5).fill(1_000));
    pair.run(() => false, 300 + seed);
    racing = false;
    sendAll(pair, 'a', new Array<number>(5).fill(1_000), 10);
    sendAll(pair, 'b', new Array<number>(5).fill(1_000), 10);
    const done = pair.run(
      () => pair.count('a', 'messageAcknowledged') === 10 && pair.count('b', 'messageAcknowledged') === 10,
      3_000,
    );

    t.true(done, `seed ${seed}`);
    t.is(pair.b.activePath, 0);
  }
});

test('somebody who relays long enough to be validated and then stops is left within three seconds', t => {
  for (let seed = 0; seed < 100; seed++) {
    const pair = new SessionPair({ seed, link: { delay: 20 } });
    let relaying = true;
    pair.pathSeen = flight => (flight.from === 'a' && relaying ? 9 : 0);
    sendAll(pair, 'a', [20_000]);
    pair.run(() => pair.b.activePath === 9, 2_000);
    t.is(pair.b.activePath, 9);

    relaying = false;
    pair.drop = flight => flight.from === 'b' && flight.path === 9;
    sendAll(pair, 'b', [5_000, 100]);
    const done = pair.run(() => pair.count('b', 'messageAcknowledged') === 2, 3_000);

    t.true(done, `seed ${seed}`);
    t.is(pair.b.activePath, 0);
  }
});

test('a dying path has failed after two probe timeouts and alive with the next ack', t => {
  const pair = new SessionPair({ link: { delay: 20 } });
  sendAll(pair, 'a', [10]);
  pair.run(() => pair.count('a', 'messageAcknowledged') === 1);
  pair.drop = () => true;
  const start = pair.now;
  const interval = 40 + 4 * 20 + 25;

  sendAll(pair, 'a', [10], 1);
  pair.run(() => pair.count('a', 'pathFailed') === 1);
  t.true(pair.now - start < 3.5 * interval, `after ${pair.now - start} ms`);
  pair.drop = () => false;
  pair.run(() => pair.count('a', 'pathAlive') === 1, 2_000);

  t.is(pair.count('a', 'pathFailed'), 1);
  t.is(pair.count('a', 'pathAlive'), 1);
});

test('a host without a route to the active path makes it suspect at once', t => {
  const pair = new SessionPair();

  pair.a.handleSendError(pair.now, 0, 'other');
  pair.drain();
  t.is(pair.count('a', 'pathFailed'), 0);
  pair.a.handleSendError(pair.now, 0, 'unreachable');
  pair.drain();

  t.is(pair.count('a', 'pathFailed'), 1);
  t.is(pair.a.statistics().sendErrors, 2);
});

test('no more paths are kept than the table has room for, whoever opens them', t => {
  const pair = new SessionPair();

  for (let path = 1; path < 100; path++) {
    pair.pathSeen = () => path;
    pair.a.ping(pair.now);
    pair.run(() => false, 50);
  }

  const known = Array.from({ length: 100 }, (_, path) => pair.b.pathStatistics(path)).filter(
    path => path !== undefined,
  );
  t.true(known.length <= MAX_PATHS, `${known.length} paths`);
  pair.pathSeen = flight => flight.path;
  sendAll(pair, 'a', [100]);
  t.true(pair.run(() => pair.count('a', 'messageAcknowledged') === 1, 2_000));
});
