import test from 'ava';
import { toHex } from '../../src/base/index.js';
import {
  DAMAGED_KEY,
  MemoryStore,
  type SavedNode,
  startNode,
  type Store,
} from '../../src/interface/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { memberOf, SimulatedWorld, smallNetwork, storeOf } from '../../src/testing/index.js';

const crypto = await createCryptoProvider();

/** A durable store in memory. */
class KeptStore extends MemoryStore {
  override readonly durable: boolean = true;
}

async function nodeIn(store: Store): Promise<{ start: () => Promise<SavedNode> }> {
  const host = new SimulatedWorld({ seed: 1, crypto }).host({ name: 'lamp' });
  const { random } = host;
  const network = smallNetwork(crypto, random, host.wallTime(), [{ name: 'lamp', kind: 'device' }]);
  await store.write(storeOf(network, 'lamp'));
  const { membership } = memberOf(network, 'lamp');
  return { start: () => startNode(store, crypto, random, membership) };
}

const inboxes = ({ formerInboxes }: SavedNode): string[] => formerInboxes.map(toHex);

test('every start has incarnations of its own, counts itself, and knows the inboxes before it', async t => {
  const { start } = await nodeIn(new KeptStore());

  const [first, second, third] = [await start(), await start(), await start()];

  t.deepEqual([first.bootCounter, second.bootCounter, third.bootCounter], [1, 2, 3]);
  t.is(new Set([first, second, third].map(({ outboxIncarnation }) => toHex(outboxIncarnation))).size, 3);
  t.is(new Set([first, second, third].map(({ inboxIncarnation }) => toHex(inboxIncarnation))).size, 3);
  t.deepEqual(inboxes(first), []);
  t.deepEqual(inboxes(third), [toHex(first.inboxIncarnation), toHex(second.inboxIncarnation)]);
  t.deepEqual(third.resetSecret, first.resetSecret);
});

test('a store that was found damaged vouches for nothing before, and again for what follows', async t => {
  const store = new KeptStore();
  const { start } = await nodeIn(store);
  await start();
  await store.write(new Map([[DAMAGED_KEY, new Uint8Array(0)]]));

  const damaged = await start();
  const next = await start();

  t.deepEqual(inboxes(damaged), []);
  t.is(damaged.bootCounter, 2);
  t.is(await store.read(DAMAGED_KEY), undefined);
  t.deepEqual(inboxes(next), [toHex(damaged.inboxIncarnation)]);
});

test('a store that does not outlive the process vouches for nothing', async t => {
  const { start } = await nodeIn(new MemoryStore());
  await start();

  t.deepEqual(inboxes(await start()), []);
});

test('no more former inboxes are kept than any sender can ask for', async t => {
  const { start } = await nodeIn(new KeptStore());
  let last = await start();
  for (let i = 0; i < 40; i++) last = await start();

  t.is(last.formerInboxes.length, 16);
});
