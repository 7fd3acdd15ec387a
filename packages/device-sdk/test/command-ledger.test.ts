import { MemoryStore } from '@coconet/cluster-protocol';
import type { Store } from '@coconet/cluster-protocol';
import test from 'ava';
import fc from 'fast-check';
import { CommandLedger } from '../src/command-ledger.js';
import type { CommandId, LedgerEntry } from '../src/command-ledger.js';

const STATUS = new Uint8Array([1, 2, 3]);
const BARE = new Uint8Array([9]);
const A = '00000000000000aa';

const id = (sequence: number, peer = 7, incarnation = A): CommandId => ({ peer, incarnation, sequence });

/** A store that survives: what one ledger has written the next one finds. */
function durable(): Store {
  const store = new MemoryStore();
  return {
    durable: true,
    read: key => store.read(key),
    list: prefix => store.list(prefix),
    write: changes => store.write(changes),
    close: () => store.close(),
  };
}

test('what was started is interrupted, and what was finished has its status, in the next process', async t => {
  const store = durable();
  const first = await CommandLedger.open(store);
  await first.start(id(1));
  await first.start(id(2));
  await first.finish(id(2), STATUS, BARE);
  await first.finish(id(10), STATUS, BARE);
  first.acknowledge(id(10));
  await first.close();

  const second = await CommandLedger.open(store);

  t.deepEqual(second.find(id(1)), { kind: 'interrupted' });
  t.deepEqual(second.find(id(2)), { kind: 'finished', status: STATUS });
  t.deepEqual(second.find(id(10)), { kind: 'finished', status: undefined });
  t.deepEqual(
    second.unsettled(7).map(entry => entry.id.sequence),
    [1, 2],
  );
});

test('what lies below the window of its sender is forgotten, in memory and on disk', async t => {
  const store = durable();
  const ledger = await CommandLedger.open(store);

  for (let sequence = 1; sequence <= 3_000; sequence++) {
    await ledger.start(id(sequence));
    await ledger.finish(id(sequence), STATUS, BARE);
  }
  await ledger.close();

  t.is(ledger.size, 1_024);
  t.is(ledger.find(id(1_976)), undefined);
  t.is(ledger.find(id(1_977))?.kind, 'finished');
  t.is((await store.list('device/commands/')).length, 1_024);
});

test('what is running is never forgotten', async t => {
  const ledger = await CommandLedger.open(new MemoryStore());
  await ledger.start(id(1));

  for (let sequence = 2; sequence <= 5_000; sequence++) await ledger.finish(id(sequence), STATUS, BARE);

  t.is(ledger.find(id(1))?.kind, 'started');
});

test('senders, their incarnations and the statuses kept for them are bounded', async t => {
  const ledger = await CommandLedger.open(new MemoryStore());

  for (let peer = 1; peer <= 400; peer++)
    for (let life = 0; life < 8; life++) {
      const incarnation = life.toString(16).padStart(16, '0');
      await ledger.finish(id(1, peer, incarnation), STATUS, BARE);
    }
  for (let sequence = 1; sequence <= 200; sequence++)
    await ledger.finish(id(sequence, 9_999), new Uint8Array(16_384), BARE);

  t.true(ledger.size <= 256 * 4 + 200);
  t.is(ledger.find(id(1, 1, '0000000000000007')), undefined);
  const kept = ledger
    .unsettled(9_999)
    .map(({ entry }) => (entry.kind === 'finished' ? entry.status!.length : 0));
  t.true(kept.reduce((sum, bytes) => sum + bytes, 0) <= 1_024 * 1_024 + 200);
  t.is(kept.length, 200);
});

test('any order of starts, ends and restarts keeps every command of the window', async t => {
  const steps = fc.array(
    fc.record({
      sequence: fc.nat({ max: 30 }),
      act: fc.constantFrom('start', 'finish', 'acknowledge', 'restart'),
    }),
    { maxLength: 60 },
  );

  await fc.assert(
    fc.asyncProperty(steps, async acts => {
      const store = durable();
      let ledger = await CommandLedger.open(store);
      const expected = new Map<number, LedgerEntry['kind']>();
      for (const { sequence, act } of acts) {
        if (act === 'restart') {
          await ledger.close();
          ledger = await CommandLedger.open(store);
          for (const [known, kind] of expected) if (kind === 'started') expected.set(known, 'interrupted');
        } else if (act === 'acknowledge') ledger.acknowledge(id(sequence));
        else if (act === 'start') {
          await ledger.start(id(sequence));
          expected.set(sequence, 'started');
        } else {
          await ledger.finish(id(sequence), STATUS, BARE);
          expected.set(sequence, 'finished');
        }
      }
      for (const [sequence, kind] of expected) t.is(ledger.find(id(sequence))?.kind, kind);
      t.is(ledger.size, expected.size);
    }),
  );
});
