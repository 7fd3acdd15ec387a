import {
  type ClusterEvent,
  ClusterNode,
  type CryptoProvider,
  type LastingMemory,
  milliseconds,
  randomBytes,
  type RunningMachine,
  type SavedNode,
  seconds,
  type SessionTuning,
} from '@coconet/cluster-protocol/core';
import {
  drawBadLink,
  drawBlackHole,
  HEALED_LINK,
  memberOf,
  NonceWatch,
  type Recorder,
  savedNode,
  SeededRandom,
  type SimulatedHost,
  type SimulatedNat,
  SimulatedWorld,
  smallNetwork,
  type SmallNetwork,
} from '@coconet/cluster-protocol/testing';
import { Ledger } from '../../packages/cluster-protocol/test/interop/ledger.js';
import { StreamLedger, StreamTraffic } from '../../packages/cluster-protocol/test/interop/stream-traffic.js';
import type { Run } from './run.js';

const SERVICE = 0x8000;
const PORTS = { lamp: 5_000, phone: 5_001 } as const;
type Name = keyof typeof PORTS;
const NAMES: readonly Name[] = ['lamp', 'phone'];
const otherOf = (name: Name): Name => (name === 'lamp' ? 'phone' : 'lamp');

const STEPS = 50;
/** A healed network is connected, and has delivered everything, within this. */
const HEALING = seconds(30);
/**
 * The same where one is behind a NAT, nobody introduces them, and the other one was restarted and lost its reset secret: that
 * one waits for a keep-alive, after 15 s, and until that stayed unanswered for 30 s.
 */
const SLOW_HEALING = seconds(50);
const MOST_STREAMS = 50;
/** Messages that wait at once. */
const MOST_WAITING = 150;

/** What outlives a program: lasting records of what came with `once`, and whose they are. */
class Records implements LastingMemory {
  readonly ids: Set<string>;

  constructor(ids: Iterable<string> = []) {
    this.ids = new Set(ids);
  }

  remembers(peer: number, incarnation: string, sequence: number): boolean {
    return this.ids.has(`${peer}/${incarnation}/${sequence}`);
  }
}

interface Store {
  readonly saved: SavedNode;
  readonly records: Records;
}

/** One member through all its lives. */
class Member {
  readonly name: Name;
  readonly problems: string[];
  readonly ledger: Ledger;
  readonly streams: StreamLedger;
  life = -1;
  host!: SimulatedHost;
  node!: ClusterNode;
  traffic!: StreamTraffic;
  store!: Store;
  backup: Store | undefined;
  /** How its sessions are, in all of its lives. */
  tuning: Partial<SessionTuning> = {};
  /** Letters by the sequence that this life gave them. */
  readonly open = new Map<number, number>();
  /** Sequences of this life whose end was told. */
  readonly #ended = new Set<number>();
  readonly #peer: number;
  #running!: RunningMachine;
  #session: number | undefined;
  #streams = 0;
  other!: Member;

  constructor(name: Name, peer: number, problems: string[], ledger: Ledger, streams: StreamLedger) {
    this.name = name;
    this.#peer = peer;
    this.problems = problems;
    this.ledger = ledger;
    this.streams = streams;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  start(crypto: CryptoProvider, host: SimulatedHost, store: Store): void {
    const life = ++this.life;
    this.host = host;
    this.store = store;
    const node = new ClusterNode({
      provider: crypto,
      random: host.random,
      now: host.now(),
      wall: host.wallTime(),
      saved: store.saved,
      nmnAddresses: [],
      allowDocumentationAddresses: true,
      memory: store.records,
      transport: this.tuning,
      trace: host.trace(`node-${store.saved.membership.nodeId}`),
    });
    node.streams.accepting = true;
    this.node = node;
    const ref = (session: number, stream: number) => ({ peer: this.#peer, session, stream });
    this.traffic = new StreamTraffic(this.streams, host.board.random.fork(`traffic ${life}`), {
      open: options => {
        if (!this.connected || this.#streams >= MOST_STREAMS) return undefined;
        this.#streams++;
        return node.streams.open(this.#peer, options);
      },
      write: ({ session, stream }, bytes) => node.streams.write(ref(session, stream), bytes),
      end: ({ session, stream }) => {
        node.streams.end(ref(session, stream));
      },
      reset: ({ session, stream }, code) => {
        node.streams.reset(ref(session, stream), code);
      },
      stop: ({ session, stream }, code) => {
        node.streams.stop(host.now(), ref(session, stream), code);
      },
      read: ({ session, stream }) => node.streams.read(host.now(), ref(session, stream)),
    });
    this.#running = host.attach(node, { port: PORTS[this.name] }, event => {
      if (life === this.life) this.#take(event);
    });
    this.do(() => {
      node.connect(host.now(), this.#peer);
    });
  }

  do(verb: (node: ClusterNode) => void): void {
    verb(this.node);
    this.#running.turn();
  }

  /** Sends a message of a class drawn from a seed. */
  speak(luck: SeededRandom): void {
    if (this.open.size >= MOST_WAITING) return;
    const kind = luck.below(6);
    const optional = kind >= 4;
    const { name, bytes } = this.ledger.write(
      this.name,
      luck.below(luck.below(8) === 0 ? 20_000 : 900),
      optional,
    );
    this.do(node => {
      const sequence = node.send(this.host.now(), this.#peer, SERVICE, bytes, {
        priority: luck.below(8),
        once: kind === 0,
        ...(kind === 4 && { supersedes: `key ${luck.below(3)}` }),
        ...(kind === 5 && { expiresIn: milliseconds(luck.below(8_000)) }),
      });
      this.open.set(sequence, name);
    });
  }

  crash(): void {
    for (const name of this.open.values()) this.ledger.release(name);
    this.open.clear();
    this.#ended.clear();
    this.traffic.ended(undefined);
    this.#session = undefined;
    this.#streams = 0;
    this.host.crash();
  }

  #take(event: ClusterEvent): void {
    switch (event.kind) {
      case 'connected':
        this.#session = 1;
        return;
      case 'disconnected':
        this.#session = undefined;
        return;
      case 'message':
        this.store.records.ids.add(`${event.peer}/${event.incarnation}/${event.sequence}`);
        this.ledger.receive(this.life, event.bytes);
        return;
      case 'datagram':
        this.ledger.receive(this.life, event.bytes);
        return;
      case 'delivered':
        this.#settle(event.sequence, name => {
          this.ledger.acknowledge(name, this.other.life);
        });
        return;
      case 'undelivered':
        this.#settle(event.sequence, name => {
          this.ledger.release(name);
        });
        return;
      case 'inboxChanged':
        for (const sequence of event.undecided)
          if (sequence % 2 === 0) this.node.cancel(this.host.now(), this.#peer, sequence);
          else this.node.release(this.host.now(), this.#peer, sequence);
        return;
      case 'stream':
        this.traffic.take(event.session, event.event);
        return;
      case 'streamsClosed':
        this.traffic.ended(event.session);
        this.#streams = 0;
        return;
      default:
    }
  }

  #settle(sequence: number, outcome: (name: number) => void): void {
    const name = this.open.get(sequence);
    if (name === undefined) {
      // The nodes themselves send, too: what they tell each other of the network.
      if (this.#ended.has(sequence)) this.problems.push(`${this.name} heard of the end of ${sequence} twice`);
      return;
    }
    outcome(name);
    this.#ended.add(sequence);
    this.open.delete(sequence);
  }
}

/** Two members of one network without an NMN, with stores, in a world. */
class Home {
  readonly world: SimulatedWorld;
  readonly network: SmallNetwork;
  readonly members: Readonly<Record<Name, Member>>;
  readonly problems: string[] = [];
  readonly ledger = new Ledger();
  readonly streams = new StreamLedger();
  readonly nat: SimulatedNat | undefined;
  readonly crypto: NonceWatch;
  /** How long healing may take. */
  healing: number = HEALING;

  constructor(seed: number, crypto: CryptoProvider, recorder: Recorder | undefined, isBehindNat: boolean) {
    this.crypto = new NonceWatch(crypto);
    this.world = new SimulatedWorld({ seed, crypto: this.crypto, ...(recorder && { recorder }) });
    this.nat = isBehindNat ? this.world.network.lan({ nat: 'portRestricted' }) : undefined;
    const hosts = {
      lamp: this.world.host({ name: 'lamp' }),
      phone: this.world.host({ name: 'phone', ...(this.nat && { on: this.nat }) }),
    };
    this.network = smallNetwork(this.crypto, hosts.lamp.random, hosts.lamp.wallTime(), [
      { name: 'lamp', kind: 'device' },
      { name: 'phone', kind: 'client', role: 'guest' },
    ]);
    const member = (name: Name): Member => {
      const peer = memberOf(this.network, otherOf(name)).nodeId;
      return new Member(name, peer, this.problems, this.ledger, this.streams);
    };
    this.members = { lamp: member('lamp'), phone: member('phone') };
    for (const name of NAMES) {
      this.members[name].other = this.members[otherOf(name)];
      const luck = this.world.random.fork(`transport of ${name}`);
      this.members[name].tuning = {
        ...(luck.below(2) === 0 && { rekeyAfterPackets: 10 + luck.below(500) }),
        ...(luck.below(2) === 0 && { rekeyAfter: seconds(10 + luck.below(20)) }),
        ...(luck.below(4) === 0 && { congestionControl: 'newReno' }),
      };
      const peer = memberOf(this.network, otherOf(name)).nodeId;
      const knows = name === 'phone' || !this.nat;
      const where = new Map(knows ? [[peer, [hosts[otherOf(name)].address(PORTS[otherOf(name)])]]] : []);
      const saved = savedNode(this.network, name, hosts[name].random, where);
      this.members[name].start(this.crypto, hosts[name], { saved, records: new Records() });
    }
  }

  get all(): readonly Member[] {
    return [this.members.lamp, this.members.phone];
  }

  run(duration: number): void {
    this.world.runNow(milliseconds(duration));
  }

  keepCopy(name: Name): void {
    const { saved, records } = this.members[name].store;
    this.members[name].backup = { saved, records: new Records(records.ids) };
  }

  /** The power of one fails and comes back: with its store, with an empty one, or with one put back from a backup. */
  restart(name: Name, luck: SeededRandom): void {
    const member = this.members[name];
    const { store, backup } = member;
    member.crash();
    this.run(luck.below(3_000));
    const host = member.host.restart();
    const fate = luck.below(3);
    const kept = fate === 1 && backup ? backup : store;
    const isLost = fate === 2;
    if (isLost && this.nat) this.healing = SLOW_HEALING;
    const { saved } = kept;
    const records = isLost ? new Records() : new Records(kept.records.ids);
    member.start(this.crypto, host, {
      records,
      saved: {
        ...saved,
        // Keys and membership always survive here: without them it would be another node.
        bootCounter: isLost ? 1 : saved.bootCounter + 1,
        outboxIncarnation: randomBytes(host.random, 8),
        inboxIncarnation: randomBytes(host.random, 8),
        formerInboxes: isLost ? [] : [...saved.formerInboxes, saved.inboxIncarnation],
        ...(isLost && { resetSecret: randomBytes(host.random, 32) }),
      },
    });
  }

  repair(): void {
    this.world.network.heal();
    for (const { host } of this.all) host.board.setConditions(HEALED_LINK);
  }

  until(condition: () => boolean, limit: number): boolean {
    const end = this.world.now + limit;
    while (!condition() && this.world.now < end) this.run(20);
    return condition();
  }
}

/** Two cluster nodes that know each other, without an NMN, for a minute of bad luck drawn from a seed; then all heals. */
export function runNodes(seed: number, crypto: CryptoProvider, recorder?: Recorder): Run {
  const luck = new SeededRandom(seed).fork('luck');
  const home = new Home(seed, crypto, recorder, luck.below(2) === 0);
  for (let step = 0; step < STEPS; step++) {
    misfortune(home, luck);
    for (const member of home.all) talk(member, luck);
    home.run(luck.below(2_000));
  }
  const problems = [...heal(home), ...end(home)];
  return {
    problems: [...problems, ...home.problems, ...home.crypto.reused],
    virtual: home.world.now,
    hash: home.world.recorder.hash,
    counts: {
      datagrams: home.world.recorder.datagrams,
      letters: home.ledger.delivered,
      keys: home.crypto.keys,
      streams: home.streams.halves.size,
      streamBytes: home.streams.bytes,
    },
  };
}

function misfortune(home: Home, luck: SeededRandom): void {
  const name: Name = luck.below(2) === 0 ? 'lamp' : 'phone';
  const { host } = home.members[name];
  switch (luck.below(16)) {
    case 0:
    case 1:
      host.board.setConditions(drawBadLink(luck));
      return;
    case 2:
      host.board.setConditions(drawBlackHole(luck));
      return;
    case 3:
      home.world.network.cut('lamp', 'phone');
      return;
    case 4:
      for (const { up } of host.board.attachments) up.set({ down: luck.below(2) === 0 });
      return;
    case 5:
      home.nat?.rebind();
      return;
    case 6:
      if (luck.below(3) === 0) home.restart(name, luck);
      return;
    case 7:
      host.jumpWallClock(milliseconds(luck.below(7_200_000) - 3_600_000));
      home.members[name].do(node => {
        node.handleClock(host.now(), host.wallTime());
      });
      return;
    case 8:
      home.keepCopy(name);
      return;
    case 9:
    case 10:
    case 11:
      home.repair();
      return;
    default:
  }
}

function talk(member: Member, luck: SeededRandom): void {
  const { traffic, host } = member;
  for (let i = luck.below(6); i > 0; i--) member.speak(luck);
  member.do(node => {
    traffic.catchUp();
    if (luck.below(3) === 0 && member.connected) {
      const { bytes } = member.ledger.write(member.name, luck.below(900), true);
      node.sendDatagram(host.now(), member.other.node.nodeId, SERVICE, bytes);
    }
    if (luck.below(4) === 0)
      traffic.begin(luck.below(luck.below(6) === 0 ? 300_000 : 5_000), {
        service: SERVICE,
        priority: luck.below(8),
        oneWay: luck.below(3) === 0,
      });
    if (luck.below(8) === 0) traffic.giveUpOne();
  });
}

function* heal(home: Home): Generator<string> {
  home.repair();
  const isWell = (): boolean =>
    home.streams.complete && home.all.every(({ connected, open }) => connected && open.size === 0);
  if (!home.until(isWell, home.healing)) {
    for (const { name, connected, open } of home.all)
      yield `${home.healing} ms after everything had healed, ${name} is ${connected ? '' : 'not '}connected and waits for ${open.size} messages`;
    yield* home.streams.judge();
  }
  yield* home.ledger.judge();
  yield* home.streams.problems;
}

function* end(home: Home): Generator<string> {
  for (const { node, name } of home.all)
    if (node.tables.streamBytes > 0)
      yield `${name} holds ${node.tables.streamBytes} bytes for streams that are over`;
  for (const member of home.all)
    member.do(node => {
      node.disconnect(member.host.now(), member.other.node.nodeId);
    });
  home.run(60_000);
  for (const { node, name } of home.all) {
    const { sessions, paths, leases } = node.tables;
    if (sessions + paths + leases > 0)
      yield `${name} holds ${sessions} sessions, ${paths} paths and ${leases} leases after the end`;
  }
}
