import {
  type ClusterEvent,
  ClusterError,
  ClusterNode,
  type Instant,
  type Link,
  loadMembership,
  type ManagementContent,
  milliseconds,
  type SavedNode,
  type SocketAddress,
  startNode,
  type Store,
  type StreamRef,
  wallTime,
} from '@coconet/cluster-protocol/core';
import { AuthenticatingProvider, SeededRandom } from '@coconet/cluster-protocol/testing';

import { DEFAULT_CONFIG } from '../../../packages/nmn/src/config.js';
import { NmnMachine } from '../../../packages/nmn/src/nmn-machine.js';
import type { NmnMachineEvent } from '../../../packages/nmn/src/nmn-machine-options.js';
import { home } from '../../../packages/nmn/test/support/simulated-home.js';
import { NMN_PORT } from '../../../packages/nmn/test/support/simulated-nmn.js';
import type { Arena, Inhabitant } from './arena.js';
import { addressOf } from './endpoint-scenes.js';
import type { KeyLog } from './key-log.js';

const SERVICE = 0x8000;
/** Streams that a resident has, well within what another allows. */
const MOST_STREAMS = 20;

/** Who lives in a {@link House}; the owner administers the network, and the phone is a guest. */
export type Resident = 'owner' | 'lamp' | 'phone' | 'door';

/** A network that came into being in a simulated world, as its stores and its NMN's disk have it. */
export interface Network {
  readonly saved: Readonly<Record<Resident, SavedNode>>;
  readonly nmn: Omit<
    ConstructorParameters<typeof NmnMachine>[0],
    'provider' | 'random' | 'now' | 'wall' | 'config'
  >;
  /** Civil time when it was put away. */
  readonly wall: number;
}

/** Where everybody is. */
export const PLACES: Readonly<Record<Resident | 'nmn', SocketAddress>> = {
  nmn: addressOf('192.0.2.1', NMN_PORT),
  owner: addressOf('198.51.100.2', 5_000),
  lamp: addressOf('198.51.100.3', 5_000),
  phone: addressOf('198.51.100.1', 5_000),
  door: addressOf('198.51.100.4', 5_000),
};

let founded: Promise<Network> | undefined;

/** A network that three nodes have joined; always the same one. */
export const foundNetwork = (): Promise<Network> => (founded ??= found());

async function found(): Promise<Network> {
  const provider = new AuthenticatingProvider();
  const random = new SeededRandom(1);
  const { nmn, owner, join, world, during } = await home(1, { crypto: provider });
  const stores: Partial<Record<Resident, Store>> = { owner: owner.store };
  const runtimes = [owner];
  for (const [name, kind] of [
    ['lamp', 'device'],
    ['phone', 'client'],
    ['door', 'device'],
  ] as const) {
    const { store, member } = await join(name, kind);
    stores[name] = store;
    runtimes.push(member);
  }
  // Everybody is to know everybody.
  await world.run(milliseconds(5_000));
  const wall = nmn.host.wallTime();
  await during(Promise.all(runtimes.map(runtime => runtime.close())));
  const entries = await Promise.all(
    Object.entries(stores).map(async ([name, store]) => {
      const membership = await loadMembership(store);
      if (!membership) throw new Error(`${name} has not joined`);
      return [name, await startNode(store, provider, random, membership)] as const;
    }),
  );
  return {
    saved: Object.fromEntries(entries) as Record<Resident, SavedNode>,
    nmn: { ...nmn.life.identity, networks: nmn.disk.all(), operatorTokens: [...nmn.disk.tokens.values()] },
    wall,
  };
}

const addressesOf = ({ saved }: Network): ReadonlyMap<number, readonly SocketAddress[]> =>
  new Map(
    Object.entries(saved).map(([name, { membership }]) => [membership.nodeId, [PLACES[name as Resident]]]),
  );

/** The NMN of a network, on an arena, with a disk that keeps everything at once. */
export function startNmn(
  arena: Arena,
  network: Network,
  keys: KeyLog,
  random: SeededRandom,
  news: string[],
): Inhabitant & { readonly machine: NmnMachine } {
  const machine = new NmnMachine({
    provider: keys,
    random: random.fork('nmn'),
    now: arena.now,
    wall: () => wallTime(network.wall + arena.now),
    config: { ...DEFAULT_CONFIG, membership: { ...DEFAULT_CONFIG.membership, settleTime: milliseconds(1) } },
    ...network.nmn,
  });
  const who = {
    machine,
    address: PLACES.nmn,
    onEvent: (event: NmnMachineEvent): void => {
      news.push(
        event.kind === 'log'
          ? `log ${event.event} ${Object.values(event.fields)
              .join(' ')
              .replace(/[0-9a-f]{6,}|\d+/g, '#')}`
          : event.kind,
      );
      if (event.kind === 'commit') machine.handleCommitted(arena.now, event.id);
    },
  };
  arena.add(who);
  return who;
}

/** A member of a network with a program that does everything there is to do. */
export class Dweller implements Inhabitant {
  readonly machine: ClusterNode;
  readonly address: SocketAddress;
  readonly news: string[] = [];
  /** Messages of its own that arrived for sure, answers of the NMN among them. */
  served = 0;
  readonly #link: Link;
  readonly #streams: StreamRef[] = [];
  #last = 0;

  constructor(
    arena: Arena,
    network: Network,
    name: Resident,
    keys: KeyLog,
    random: SeededRandom,
    online = true,
  ) {
    this.address = PLACES[name];
    this.machine = new ClusterNode({
      provider: keys,
      random: random.fork(name),
      now: arena.now,
      wall: wallTime(network.wall + arena.now),
      // Where there is no NMN to introduce them, they remember where the others were.
      saved: { ...network.saved[name], addresses: online ? new Map() : addressesOf(network) },
      nmnAddresses: online ? [PLACES.nmn] : [],
      allowDocumentationAddresses: true,
    });
    this.machine.streams.accepting = true;
    const { host, port, family } = this.address;
    const addresses = [{ host, prefixLength: 24, interfaceName: 'eth0', internal: false }];
    this.#link = { id: 1, kind: 'udp', family, port, addresses };
    arena.add(this);
  }

  get nodeId(): number {
    return this.machine.nodeId;
  }

  onEvent = (event: ClusterEvent): void => {
    this.news.push(
      event.kind === 'stream'
        ? event.event.kind
        : event.kind === 'undelivered'
          ? `undelivered ${event.reason}`
          : event.kind,
    );
    if (event.kind === 'delivered') this.served++;
    else if (event.kind === 'management') {
      this.served++;
      this.news.push(`management ${event.content.type}`);
    } else if (event.kind === 'streamsClosed') this.#streams.length = 0;
    else if (
      event.kind === 'stream' &&
      event.event.kind === 'streamOpened' &&
      this.#streams.length < MOST_STREAMS
    )
      this.#streams.push({ peer: event.peer, session: event.session, stream: event.event.stream });
  };

  /** Does one of the things that programs do. */
  act(now: Instant, peer: number, verb: number, argument: number): void {
    try {
      this.#act(now, peer, verb, argument);
    } catch (error) {
      // What a program may not do now is told to it, and harms nobody.
      if (!(error instanceof ClusterError)) throw error;
    }
  }

  #act(now: Instant, peer: number, verb: number, argument: number): void {
    const { machine } = this;
    const ref = this.#streams[argument % Math.max(1, this.#streams.length)];
    switch (verb % 16) {
      case 0:
      case 1:
        this.#last = machine.send(now, peer, SERVICE, new Uint8Array(argument));
        return;
      case 2:
        this.#last = machine.send(now, peer, SERVICE + (argument & 1), new Uint8Array(argument * 200), {
          once: true,
          expiresIn: milliseconds(20_000),
        });
        return;
      case 3:
        machine.send(now, peer, SERVICE, Uint8Array.of(argument), {
          supersedes: 'x',
          priority: argument & 7,
        });
        return;
      case 4:
        machine.sendDatagram(now, peer, SERVICE, new Uint8Array(argument));
        return;
      case 5:
        machine.connect(now, peer);
        return;
      case 6:
        if (argument > 200) machine.disconnect(now, peer);
        return;
      case 7:
        machine.cancel(now, peer, this.#last);
        return;
      case 8:
        if (this.#streams.length < MOST_STREAMS)
          this.#streams.push(machine.streams.open(peer, { service: SERVICE, oneWay: argument % 3 === 0 }));
        return;
      case 9:
        if (ref) machine.streams.write(ref, new Uint8Array(argument * 64));
        return;
      case 10:
        if (ref) machine.streams.reset(ref, argument);
        return;
      case 11:
        if (ref) machine.streams.end(ref);
        return;
      case 12:
        machine.request(now, this.#question(argument), milliseconds(10_000));
        return;
      case 13:
        machine.handleLinks(now, [this.#link]);
        return;
      case 14:
        machine.handleClock(now, wallTime(1_767_225_600_000 + argument * 60_000));
        return;
      case 15:
        machine.explain(now, peer);
        machine.nodes();
    }
  }

  #question(argument: number): ManagementContent {
    return argument % 2 === 0 ? { type: 'secret' } : { type: 'renew' };
  }
}
