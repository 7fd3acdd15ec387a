import test from 'ava';
import { encodeText, milliseconds, seconds } from '../../src/base/index.js';
import {
  type ClusterEvent,
  ClusterNode,
  type LastingMemory,
  type SavedNode,
} from '../../src/interface/index.js';
import { MAX_MESSAGE } from '../../src/wire/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import {
  memberOf,
  savedNode,
  type SimulatedHost,
  SimulatedWorld,
  type SmallNetwork,
  smallNetwork,
} from '../../src/testing/index.js';

const crypto = await createCryptoProvider();
const SERVICE = 0x8000;
const PORT = { lamp: 5_000, phone: 5_001 } as const;

/** A program's lasting record, as its store would hold it. */
class Records implements LastingMemory {
  readonly ids = new Set<string>();

  remembers(peer: number, incarnation: string, sequence: number): boolean {
    return this.ids.has(`${peer}/${incarnation}/${sequence}`);
  }
}

interface Node {
  readonly saved: SavedNode;
  readonly host: SimulatedHost;
  readonly node: ClusterNode;
  readonly events: ClusterEvent[];
  readonly running: { turn(): void };
}

/** A phone that sends to a lamp, which records what it receives. */
class Scene {
  readonly world: SimulatedWorld;
  readonly network: SmallNetwork;
  /** What the lamp's store holds. */
  readonly records = new Records();
  readonly phone: Node;
  lamp: Node;

  constructor(seed: number) {
    this.world = new SimulatedWorld({ seed, crypto });
    const lamp = this.world.host({ name: 'lamp' });
    const phone = this.world.host({ name: 'phone' });
    this.network = smallNetwork(crypto, lamp.random, lamp.wallTime(), [
      { name: 'lamp', kind: 'device' },
      { name: 'phone', kind: 'client', role: 'guest' },
    ]);
    this.lamp = this.#start(lamp, PORT.lamp, savedNode(this.network, 'lamp', lamp.random), this.records);
    const where = new Map([[this.lampId, [lamp.address(PORT.lamp)]]]);
    this.phone = this.#start(phone, PORT.phone, savedNode(this.network, 'phone', phone.random, where));
    this.phone.node.connect(phone.now(), this.lampId);
    this.phone.running.turn();
    this.until(() => this.of('connected').length === 1);
  }

  get lampId(): number {
    return memberOf(this.network, 'lamp').nodeId;
  }

  send(text: string, once = true): number {
    const { node, host, running } = this.phone;
    const sequence = node.send(host.now(), this.lampId, SERVICE, encodeText(text), { once });
    running.turn();
    return sequence;
  }

  do(verb: (node: ClusterNode) => void): void {
    verb(this.phone.node);
    this.phone.running.turn();
  }

  /** The lamp's power fails and comes back with a store that holds these lives of its inbox. */
  restartLamp(formerInboxes: (before: SavedNode) => readonly Uint8Array[], memory?: LastingMemory): void {
    const before = this.lamp.saved;
    const host = this.lamp.host.restart();
    const fresh = savedNode(this.network, 'lamp', host.random);
    this.lamp = this.#start(
      host,
      PORT.lamp,
      {
        ...before,
        bootCounter: before.bootCounter + 1,
        outboxIncarnation: fresh.outboxIncarnation,
        inboxIncarnation: fresh.inboxIncarnation,
        formerInboxes: formerInboxes(before),
      },
      memory,
    );
  }

  of<K extends ClusterEvent['kind']>(kind: K): Extract<ClusterEvent, { kind: K }>[] {
    return this.phone.events.filter(
      (event): event is Extract<ClusterEvent, { kind: K }> => event.kind === kind,
    );
  }

  /** Texts that the lamp heard in this life. */
  get heard(): string[] {
    return this.lamp.events.flatMap(event =>
      event.kind === 'message' ? [new TextDecoder().decode(event.bytes)] : [],
    );
  }

  until(condition: () => boolean, what = 'the condition'): void {
    this.world.untilNow(condition, seconds(60), what);
  }

  #start(host: SimulatedHost, port: number, saved: SavedNode, memory?: LastingMemory): Node {
    const node = new ClusterNode({
      provider: crypto,
      random: host.random,
      now: host.now(),
      wall: host.wallTime(),
      saved,
      nmnAddresses: [],
      allowDocumentationAddresses: true,
      ...(memory && { memory }),
    });
    const events: ClusterEvent[] = [];
    const running = host.attach(node, { port }, event => {
      events.push(event);
      if (event.kind === 'message' && memory instanceof Records)
        memory.ids.add(`${event.peer}/${event.incarnation}/${event.sequence}`);
    });
    return { saved, host, node, events, running };
  }
}

const wholeStore = ({ formerInboxes, inboxIncarnation }: SavedNode): readonly Uint8Array[] => [
  ...formerInboxes,
  inboxIncarnation,
];
const emptyStore = (): readonly Uint8Array[] => [];

test('a peer that was restarted and remembers gets what was under way, without a word to the program', t => {
  const scene = new Scene(1);
  const first = scene.send('first');
  scene.until(() => scene.of('delivered').some(({ sequence }) => sequence === first));

  scene.lamp.host.crash();
  const second = scene.send('second');
  scene.world.runNow(milliseconds(500));
  scene.restartLamp(wholeStore, scene.records);
  scene.until(() => scene.of('delivered').some(({ sequence }) => sequence === second));

  t.deepEqual(scene.heard, ['second']);
  t.deepEqual(scene.of('inboxChanged'), []);
});

test('what was under way to a peer that lost its store is held back until it is released or cancelled', t => {
  const scene = new Scene(2);
  scene.lamp.host.crash();
  const [again, never, harmless] = [scene.send('again'), scene.send('never'), scene.send('harmless', false)];
  scene.world.runNow(milliseconds(500));

  scene.restartLamp(emptyStore, scene.records);
  scene.until(() => scene.of('inboxChanged').length === 1, 'the question');
  scene.world.runNow(seconds(5));

  t.deepEqual(scene.of('inboxChanged')[0]?.undecided, [again, never]);
  t.deepEqual(scene.heard, ['harmless']);
  t.true(scene.of('delivered').some(({ sequence }) => sequence === harmless));

  scene.do(node => node.cancel(scene.phone.host.now(), scene.lampId, never));
  scene.do(node => node.release(scene.phone.host.now(), scene.lampId, again));
  scene.until(() => scene.heard.length === 2, 'the released message');
  scene.world.runNow(seconds(20));

  t.deepEqual(scene.heard, ['harmless', 'again']);
  t.deepEqual(
    scene.of('undelivered').map(({ sequence, sent, reason }) => ({ sequence, sent, reason })),
    [{ sequence: never, sent: true, reason: 'cancelled' }],
  );
});

test('a message that nobody decides about stays until it expires, and its end is told', t => {
  const scene = new Scene(3);
  scene.lamp.host.crash();
  const { host, node, running } = scene.phone;
  const sequence = node.send(host.now(), scene.lampId, SERVICE, encodeText('late'), {
    once: true,
    expiresIn: seconds(60),
  });
  running.turn();
  scene.world.runNow(milliseconds(500));

  scene.restartLamp(emptyStore, scene.records);
  scene.until(() => scene.of('inboxChanged').length === 1);
  scene.world.runNow(seconds(90));

  t.deepEqual(scene.heard, []);
  t.deepEqual(
    scene.of('undelivered').map(event => ({ ...event, peer: 0 })),
    [{ kind: 'undelivered', peer: 0, sequence, sent: true, reason: 'expired' }],
  );
});

test('a store put back from before the last start is found out', t => {
  const scene = new Scene(4);
  const backup = wholeStore(scene.lamp.saved);
  scene.restartLamp(wholeStore, scene.records);
  scene.until(() => scene.of('connected').length === 2);
  scene.lamp.host.crash();
  const sequence = scene.send('shoot');
  scene.world.runNow(milliseconds(500));

  scene.restartLamp(() => backup, scene.records);
  scene.until(() => scene.of('inboxChanged').length > 0);

  t.deepEqual(scene.of('inboxChanged').at(-1)?.undecided, [sequence]);
  t.deepEqual(scene.heard, []);
});

test('a store put back from the same start is found out by a message that it acknowledged and does not know', t => {
  const scene = new Scene(5);
  const acknowledged = scene.send('acknowledged');
  scene.until(() => scene.of('delivered').some(({ sequence }) => sequence === acknowledged));
  scene.lamp.host.crash();
  const sequence = scene.send('shoot');
  scene.world.runNow(milliseconds(500));

  scene.restartLamp(wholeStore, new Records());
  scene.until(() => scene.of('inboxChanged').length === 1);

  t.deepEqual(scene.of('inboxChanged')[0]?.undecided, [sequence]);
  t.deepEqual(scene.heard, []);
});

test('a store that knows one message that it acknowledged and not the next one is found out', t => {
  const scene = new Scene(5);
  for (const text of ['one', 'two']) {
    const acknowledged = scene.send(text);
    scene.until(() => scene.of('delivered').some(({ sequence }) => sequence === acknowledged));
  }
  const [first] = scene.records.ids;
  const older = new Records();
  older.ids.add(first!);
  scene.lamp.host.crash();
  const sequence = scene.send('shoot');
  scene.world.runNow(milliseconds(500));

  scene.restartLamp(wholeStore, older);
  scene.until(() => scene.of('inboxChanged').length + scene.of('inboxKept').length === 1);

  t.deepEqual(scene.of('inboxChanged')[0]?.undecided, [sequence]);
});

test('a program without a lasting memory says after a restart that it forgot', t => {
  const scene = new Scene(6);
  scene.lamp.host.crash();
  const sequence = scene.send('shoot');
  scene.world.runNow(milliseconds(500));

  scene.restartLamp(wholeStore);
  scene.until(() => scene.of('inboxChanged').length === 1);

  t.deepEqual(scene.of('inboxChanged')[0]?.undecided, [sequence]);
});

test('what was not sent before the loss goes out without a decision', t => {
  const scene = new Scene(7);
  scene.lamp.host.crash();
  scene.until(() => scene.of('disconnected').length === 1, 'the end of the silent session');
  const sequence = scene.send('fresh');

  scene.restartLamp(emptyStore, scene.records);
  scene.until(() => scene.of('delivered').some(event => event.sequence === sequence));

  t.deepEqual(scene.heard, ['fresh']);
  t.deepEqual(scene.of('inboxChanged')[0]?.undecided ?? [], []);
});

test('a message that the peer lost twice over is decided about once, and goes nowhere meanwhile', t => {
  const scene = new Scene(8);
  scene.lamp.host.crash();
  const sequence = scene.send('shoot');
  scene.world.runNow(milliseconds(500));
  scene.restartLamp(emptyStore, scene.records);
  scene.until(() => scene.of('inboxChanged').length === 1);

  scene.restartLamp(wholeStore, scene.records);
  scene.do(node => node.connect(scene.phone.host.now(), scene.lampId));
  scene.world.runNow(seconds(60));

  t.deepEqual(
    scene.of('inboxChanged').flatMap(({ undecided }) => undecided),
    [sequence],
  );
  t.deepEqual(scene.heard, []);
});

test('a message that the program knows to have arrived is not sent again', t => {
  const scene = new Scene(9);
  scene.phone.host.board.setConditions({ down: true });
  const sequence = scene.send('answered');
  scene.world.runNow(milliseconds(500));

  scene.do(node => node.received(scene.phone.host.now(), scene.lampId, sequence));
  scene.phone.host.board.setConditions({ down: false });
  scene.world.runNow(seconds(60));

  t.deepEqual(scene.heard, []);
  t.true(scene.of('delivered').some(event => event.sequence === sequence));
});

test('a newer value takes the place of one of 16 MiB that is half sent, and nothing of that stays', t => {
  const scene = new Scene(20);
  const { host, node, running } = scene.phone;
  const options = { supersedes: 'picture' };
  const old = node.send(host.now(), scene.lampId, SERVICE, new Uint8Array(MAX_MESSAGE), options);
  running.turn();
  scene.world.runNow(milliseconds(100));

  const newer = node.send(host.now(), scene.lampId, SERVICE, encodeText('newer'), options);
  running.turn();
  scene.until(() => scene.of('delivered').some(event => event.sequence === newer));
  scene.world.runNow(seconds(1));

  t.like(scene.of('undelivered')[0], { sequence: old, sent: true, reason: 'superseded' });
  t.deepEqual(scene.heard, ['newer']);
});

test('a message of 16 MiB that expires under way is told as such and does not come', t => {
  const scene = new Scene(21);
  const { host, node, running } = scene.phone;
  const sequence = node.send(host.now(), scene.lampId, SERVICE, new Uint8Array(MAX_MESSAGE), {
    expiresIn: milliseconds(100),
  });
  running.turn();

  scene.until(() => scene.of('undelivered').length === 1);
  scene.send('next', false);
  scene.until(() => scene.heard.length > 0);

  t.like(scene.of('undelivered')[0], { sequence, sent: true, reason: 'expired' });
  t.deepEqual(scene.heard, ['next']);
});

test('a message that expires under way does not come even where no other one follows it', t => {
  const scene = new Scene(21);
  const { host, node, running } = scene.phone;
  scene.lamp.host.board.setConditions({ delay: milliseconds(200) });
  node.send(host.now(), scene.lampId, SERVICE, new Uint8Array(1_000_000), { expiresIn: milliseconds(100) });
  running.turn();

  scene.until(() => scene.of('undelivered').length === 1);
  scene.world.runNow(seconds(20));

  t.deepEqual(scene.heard, []);
});

test('what is too large or too much is refused with the limit', t => {
  const scene = new Scene(22);
  scene.world.runNow(seconds(1));
  const { host, node } = scene.phone;
  const send = (length: number): number =>
    node.send(host.now(), scene.lampId, SERVICE, new Uint8Array(length));

  t.throws(() => send(MAX_MESSAGE + 1), { code: 'MESSAGE_TOO_LARGE', message: /16777216 bytes/ });
  send(MAX_MESSAGE);
  send(MAX_MESSAGE);
  t.throws(() => send(1), { code: 'QUEUE_FULL', message: /at most 1024 and 33554432 bytes/ });
});
