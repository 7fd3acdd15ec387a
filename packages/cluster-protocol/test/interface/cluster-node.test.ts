import test from 'ava';
import { encodeText, milliseconds, randomBytes, seconds, wallTime } from '../../src/base/index.js';
import { NetworkState, SecretRing, signHead, signRecord } from '../../src/network/index.js';
import { type ClusterEvent, ClusterNode, type SavedNode } from '../../src/interface/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import {
  memberOf,
  savedNode,
  SimulatedWorld,
  type SmallNetwork,
  smallNetwork,
  stateWithout,
  type SimulatedHost,
} from '../../src/testing/index.js';

const crypto = await createCryptoProvider();
const SERVICE = 0x8000;

interface Node {
  readonly saved: SavedNode;
  readonly node: ClusterNode;
  readonly host: SimulatedHost;
  readonly events: ClusterEvent[];
  readonly running: { turn(): void };
}

function start(
  network: SmallNetwork,
  name: string,
  host: SimulatedHost,
  port: number,
  knows: readonly [string, SimulatedHost, number][] = [],
  before?: SavedNode,
): Node {
  const addresses = new Map(
    knows.map(([other, where, at]) => [memberOf(network, other).nodeId, [where.address(at)]]),
  );
  const fresh = savedNode(network, name, host.random, addresses);
  const saved: SavedNode = before
    ? {
        ...before,
        bootCounter: before.bootCounter + 1,
        outboxIncarnation: fresh.outboxIncarnation,
        inboxIncarnation: fresh.inboxIncarnation,
        formerInboxes: [...before.formerInboxes, before.inboxIncarnation],
      }
    : fresh;
  const node = new ClusterNode({
    provider: crypto,
    random: host.random,
    now: host.now(),
    wall: host.wallTime(),
    saved,
    nmnAddresses: [],
    allowDocumentationAddresses: true,
  });
  const events: ClusterEvent[] = [];
  const running = host.attach(node, { port }, event => events.push(event));
  return { saved, node, host, events, running };
}

function pair(seed: number): { world: SimulatedWorld; network: SmallNetwork; lamp: Node; phone: Node } {
  const world = new SimulatedWorld({ seed, crypto });
  const [a, b] = [world.host({ name: 'lamp' }), world.host({ name: 'phone' })];
  const network = smallNetwork(crypto, a.random, a.wallTime(), [
    { name: 'lamp', kind: 'device' },
    { name: 'phone', kind: 'client', role: 'guest' },
  ]);
  const lamp = start(network, 'lamp', a, 5000);
  const phone = start(network, 'phone', b, 5001, [['lamp', a, 5000]]);
  return { world, network, lamp, phone };
}

const messages = (node: Node): string[] =>
  node.events.flatMap(event => (event.kind === 'message' ? [new TextDecoder().decode(event.bytes)] : []));

test('two members that remember an address meet without an NMN and exchange messages', t => {
  const { world, network, lamp, phone } = pair(1);
  const lampId = memberOf(network, 'lamp').nodeId;

  const sequence = phone.node.send(phone.host.now(), lampId, SERVICE, encodeText('hello'));
  phone.running.turn();
  world.untilNow(() => messages(lamp).length === 1, seconds(3), 'the greeting');
  lamp.node.send(lamp.host.now(), memberOf(network, 'phone').nodeId, SERVICE, encodeText('good day'));
  lamp.running.turn();
  world.untilNow(() => messages(phone).length === 1, seconds(1), 'the answer');

  t.deepEqual(messages(lamp), ['hello']);
  t.deepEqual(messages(phone), ['good day']);
  t.true(phone.events.some(event => event.kind === 'delivered' && event.sequence === sequence));
  const { path, sentence } = phone.node.explain(phone.host.now(), lampId);
  t.is(path, 'direct', sentence);
});

test('a node that lost its state is found out and met again, and nothing is delivered twice', t => {
  const { world, network, lamp, phone } = pair(2);
  const lampId = memberOf(network, 'lamp').nodeId;
  phone.node.connect(phone.host.now(), lampId);
  phone.running.turn();
  world.untilNow(() => phone.events.some(event => event.kind === 'connected'), seconds(3), 'the session');

  const again = start(network, 'lamp', lamp.host.restart(), 5000, [], lamp.saved);
  phone.node.send(phone.host.now(), lampId, SERVICE, encodeText('still there?'));
  phone.running.turn();
  world.untilNow(() => messages(again).length > 0, seconds(5), 'the message after the restart');
  world.runNow(seconds(20));

  t.deepEqual(messages(again), ['still there?']);
  t.true(phone.events.some(event => event.kind === 'disconnected' && event.reason === 'restarted'));
});

test('messages both ways survive thirty per cent loss, each once and none lost', t => {
  const { world, network, lamp, phone } = pair(3);
  const lampId = memberOf(network, 'lamp').nodeId;
  const phoneId = memberOf(network, 'phone').nodeId;
  for (const host of [lamp.host, phone.host])
    host.board.setConditions({
      loss: 0.3,
      delay: milliseconds(20),
      jitter: milliseconds(30),
      duplicate: 0.2,
      reorder: 0.2,
    });
  const sent = Array.from({ length: 50 }, (_, i) => `message ${i}`);

  for (const text of sent) {
    phone.node.send(phone.host.now(), lampId, SERVICE, encodeText(text));
    lamp.node.send(lamp.host.now(), phoneId, SERVICE, encodeText(text));
  }
  phone.running.turn();
  lamp.running.turn();
  world.untilNow(
    () => messages(lamp).length >= 50 && messages(phone).length >= 50,
    seconds(60),
    'all messages',
  );
  world.runNow(seconds(30));

  t.deepEqual(messages(lamp).sort(), [...sent].sort());
  t.deepEqual(messages(phone).sort(), [...sent].sort());
});

/** Secrets up to an epoch, thrown anew. */
function newerSecrets(host: SimulatedHost, epoch: number): SecretRing {
  const ring = new SecretRing();
  for (const at of [epoch - 1, epoch]) ring.add({ epoch: at, secret: randomBytes(host.random, 32) });
  return ring;
}

/** The state of the network after its authority signed that there is this epoch. */
function stateOfEpoch(
  network: SmallNetwork,
  host: SimulatedHost,
  epoch: number,
  before: NetworkState = network.state,
): Uint8Array {
  const anchor = { network: network.network, rootKey: network.root.publicKey };
  const restored = NetworkState.restore(crypto, anchor, before.snapshot());
  if (!restored.ok) throw new Error('the state of the small network is readable');
  const [state, issuedAt, order] = [
    restored.value,
    host.wallTime(),
    { authorityNumber: 1, version: network.state.version.version + 1 },
  ];
  const signed = { network: network.network, order, issuedAt };
  state.apply([
    signRecord(crypto, network.authority, { ...signed, content: { kind: 'secretEpoch', epoch } }),
  ]);
  const nextUpdateBy = wallTime(issuedAt + 7 * 86_400_000);
  state.applyHead(signHead(crypto, network.authority, { ...signed, nextUpdateBy, digests: state.digests }));
  return state.snapshot();
}

test('a member that missed the newest secrets catches up with a peer, and only then is anything else said', t => {
  const { world, network, lamp, phone } = pair(5);
  const lampId = memberOf(network, 'lamp').nodeId;
  const again = start(network, 'lamp', lamp.host.restart(), 5000, [], {
    ...lamp.saved,
    secrets: newerSecrets(lamp.host, 3).snapshot(),
    state: stateOfEpoch(network, lamp.host, 3),
  });

  phone.node.send(phone.host.now(), lampId, SERVICE, encodeText('hello'));
  phone.running.turn();
  world.untilNow(() => messages(again).length === 1, seconds(10), 'the greeting');
  const stored = phone.events.flatMap(event => (event.kind === 'persist' ? [...event.changes.keys()] : []));

  t.deepEqual(messages(again), ['hello']);
  t.true(stored.includes('network/secrets'));
  t.is(phone.events.filter(event => event.kind === 'connected').length, 1, 'catching up is no connection');
});

for (const epoch of [1, 3])
  test(`a member that a node has never heard of is known by its certificate, at epoch ${epoch}`, t => {
    const { world, network, lamp, phone } = pair(6);
    const [lampId, phoneId] = [memberOf(network, 'lamp').nodeId, memberOf(network, 'phone').nodeId];
    const state = stateWithout(crypto, network, 'phone');
    const newer = epoch > 1 && {
      secrets: newerSecrets(lamp.host, epoch).snapshot(),
      state: stateOfEpoch(network, lamp.host, epoch, state),
    };
    const ignorant = start(network, 'lamp', lamp.host.restart(), 5000, [], {
      ...lamp.saved,
      state: state.snapshot(),
      ...newer,
    });
    const known = (): string[] => ignorant.node.nodes().map(({ name }) => name);
    t.false(known().includes('phone'));

    phone.node.send(phone.host.now(), lampId, SERVICE, encodeText('hello'));
    phone.running.turn();
    world.untilNow(() => messages(ignorant).length === 1, seconds(10), 'the greeting');
    const role = ignorant.node.nodes().find(({ nodeId }) => nodeId === phoneId)?.role;
    ignorant.node.send(ignorant.host.now(), phoneId, SERVICE, encodeText('good day'));
    ignorant.running.turn();
    world.untilNow(() => messages(phone).length === 1, seconds(1), 'the answer');
    world.runNow(seconds(1));

    t.is(role, 'guest');
    t.true(known().includes('phone'), 'its record has come from itself');
    t.true(
      ignorant.events.some(
        event => event.kind === 'member' && event.nodeId === phoneId && event.name === 'phone',
      ),
    );
  });

test('a node that deals with as many peers as it can says goodbye to another one, and goes on', t => {
  const { world, network, lamp, phone } = pair(8);
  const lampId = memberOf(network, 'lamp').nodeId;
  const addresses = new Map(
    Array.from({ length: 4_096 }, (_, i) => [i + 1, [lamp.host.address(9)]] as const),
  );
  const busy = start(network, 'lamp', lamp.host.restart(), 5000, [], { ...lamp.saved, addresses });

  phone.node.connect(phone.host.now(), lampId);
  phone.running.turn();
  world.untilNow(
    () => phone.events.some(event => event.kind === 'disconnected' && event.text.includes('4096 peers')),
    seconds(5),
    'the goodbye',
  );

  t.is(busy.node.tables.peers, 4_096);
  t.throws(
    () => busy.node.send(busy.host.now(), memberOf(network, 'phone').nodeId, SERVICE, encodeText('no')),
    {
      code: 'QUEUE_FULL',
    },
  );
});

test('two that hold the same keys do not take a session from each other without end', t => {
  const { world, network, lamp, phone } = pair(11);
  const lampId = memberOf(network, 'lamp').nodeId;
  const twin = start(
    network,
    'phone',
    world.host({ name: 'twin' }),
    5002,
    [['lamp', lamp.host, 5000]],
    phone.saved,
  );
  const phones = [phone, twin];
  for (const { node, host, running } of phones) {
    node.connect(host.now(), lampId);
    running.turn();
  }

  world.runNow(seconds(120));

  const lost = phones.flatMap(({ events }) =>
    events.filter(event => event.kind === 'disconnected' && event.reason === 'replaced'),
  );
  t.true(lost.length > 0 && lost.length <= 14, `${lost.length}`);
  t.like(lost[0], { text: 'a newer session of the same peer took over' });
  t.true(lamp.events.filter(({ kind }) => kind === 'connected').length <= 30);
});
