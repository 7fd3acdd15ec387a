import test from 'ava';
import { type Entry, onOff, type ReportMessage } from '@coconet/capabilities';
import fc from 'fast-check';
import { HeldEntries } from '../src/held-entries.js';
import { NewestQueue } from '../src/newest-queue.js';
import { Subscription } from '../src/subscription.js';

const LIFE = new Uint8Array(8).fill(1);
const OTHER_LIFE = new Uint8Array(8).fill(2);

const entry = (attributeId: number, version: number, value: number, more: Partial<Entry> = {}): Entry => ({
  resourceId: 'lamp',
  capabilityId: onOff.id,
  attributeId,
  value,
  realtime: true,
  lastUpdated: new Date(version),
  version,
  ...more,
});

const report = (fromVersion: number, version: number, more: Partial<ReportMessage> = {}): ReportMessage => ({
  type: 'report',
  subscriptionId: 7,
  stateIncarnation: LIFE,
  fromVersion,
  version,
  snapshot: false,
  last: true,
  entries: [],
  ...more,
});

test('a subscription resumes from the version that it holds whole', t => {
  const subscription = new Subscription(7, { filter: {} });

  t.is(subscription.subscribe().resume, undefined);
  subscription.handleReport(report(0, 5, { snapshot: true, last: false }));
  t.is(subscription.subscribe().resume, undefined);
  subscription.handleReport(report(0, 5, { snapshot: true }));
  subscription.handleReport(report(5, 8));

  t.deepEqual(subscription.subscribe().resume, { stateIncarnation: LIFE, version: 8 });
});

test('a gap, and another life of the device, lead to a new subscription', t => {
  const subscription = new Subscription(7, { filter: {} });
  subscription.handleReport(report(0, 5, { snapshot: true }));

  t.is(subscription.handleReport(report(6, 7)).kind, 'resubscribe');
  t.is(subscription.subscribe().resume?.version, 5);
  t.is(subscription.handleReport(report(5, 6, { stateIncarnation: OTHER_LIFE })).kind, 'resubscribe');
  t.is(subscription.subscribe().resume, undefined);
});

test('parts count when the last is there, and those of two reports never mix', t => {
  const subscription = new Subscription(7, { filter: {} });
  const first = report(0, 5, { snapshot: true, last: false, entries: [entry(1, 5, 1)] });

  t.is(subscription.handleReport(first).kind, 'nothing');
  t.is(
    subscription.handleReport(report(0, 6, { snapshot: true, last: false, entries: [entry(1, 6, 2)] })).kind,
    'nothing',
  );
  t.is(subscription.handleReport(first).kind, 'nothing');
  const done = subscription.handleReport(report(0, 6, { snapshot: true, entries: [entry(2, 6, 3)] }));

  t.deepEqual(done.kind === 'values' ? done.batch.entries.map(({ value }) => value) : [], [2, 3]);
});

test('whatever comes again in whatever order, each change is news once and the last one wins', t => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 })), { maxLength: 60 }),
      came => {
        const held = new HeldEntries();
        const news = came.flatMap(([attributeId, version]) =>
          held.handleBatch({
            stateIncarnation: LIFE,
            snapshot: false,
            entries: [entry(attributeId, version, version * 10)],
            removed: [],
          }),
        );
        for (const id of [1, 2, 3]) {
          const versions = news.filter(({ attributeId }) => attributeId === id).map(({ version }) => version);
          t.deepEqual(
            versions,
            [...new Set(versions)].sort((a, b) => a - b),
          );
          const newest = Math.max(
            0,
            ...came.filter(([attributeId]) => attributeId === id).map(([, version]) => version),
          );
          t.is(versions.at(-1) ?? 0, newest);
        }
      },
    ),
  );
});

test('after another life of the device only what differs is news', t => {
  const held = new HeldEntries();
  const batch = (stateIncarnation: Uint8Array, entries: readonly Entry[]): readonly Entry[] =>
    held.handleBatch({ stateIncarnation, snapshot: true, entries, removed: [] });
  batch(LIFE, [entry(1, 9, 10), entry(2, 9, 20)]);

  const news = batch(OTHER_LIFE, [
    entry(1, 1, 10, { lastUpdated: new Date(9), realtime: false }),
    entry(2, 1, 21, { lastUpdated: new Date(9), realtime: false }),
  ]);

  t.deepEqual(
    news.map(({ value }) => value),
    [21],
  );
});

test('a queue holds no more than there are keys, and ends when its reader leaves', async t => {
  let stopped = 0;
  const queue = new NewestQueue<number>(() => stopped++);
  for (let i = 0; i < 1_000; i++) queue.put([[String(i % 3), i]]);

  const first = await queue.next();
  await queue.return();
  const after = await queue.next();

  t.deepEqual(first.value?.items, [997, 998, 999]);
  t.true(after.done);
  t.is(stopped, 1);
});

test('a queue that is aborted ends without an error, one that fails with it once', async t => {
  const abort = new AbortController();
  const aborted = new NewestQueue<number>(() => undefined, abort.signal);
  const failed = new NewestQueue<number>(() => undefined);
  failed.put([['a', 1]]);

  abort.abort();
  failed.end(new Error('no more'));

  t.true((await aborted.next()).done);
  t.deepEqual((await failed.next()).value?.items, [1]);
  await t.throwsAsync(failed.next(), { message: 'no more' });
  t.true((await failed.next()).done);
});
