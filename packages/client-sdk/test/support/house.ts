import { level, onOff, temperatureMeasurement } from '@coconet/capabilities';
import {
  type CryptoProvider,
  type Duration,
  milliseconds,
  seconds,
  type Store,
} from '@coconet/cluster-protocol';
import { type NetworkState, randomSerial, signMembership, signRecord } from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import {
  memberOf,
  type Recorder,
  type SimulatedHost,
  SimulatedWorld,
  type SmallNetwork,
  smallNetwork,
  stateWithout,
  storeOf,
} from '@coconet/cluster-protocol/testing';
import { Device } from '../../../device-sdk/src/device.js';
import type { DeviceResource } from '../../../device-sdk/src/resource.js';
import type { ClientNetwork } from '../../src/client-network.js';
import { openNetwork } from '../../src/open-network.js';
import type { ConnectOptions } from '../../src/network.js';
import type { Platform } from '../../src/platform/platform.js';

const real = await createCryptoProvider();
/** As young as may be: keys change while everything else happens. */
const YOUNG_KEYS = { rekeyAfter: 10_000 } as const;

const PORTS: Readonly<Record<string, number>> = { Desk: 5_000, Shelf: 5_001, phone: 6_000, tablet: 6_001 };

const unavailable = async (): Promise<never> => {
  throw new Error('not in this world');
};

/** A platform whose only machine is a simulated host. */
export const platformOf = (host: SimulatedHost): Platform => ({
  openHost: async () => host,
  resolve: async () => [],
  openStore: unavailable,
  writePrivateFile: unavailable,
  removeFile: unavailable,
  callSocket: unavailable,
});

/** An error of any of the packages. */
export type Failure = Error & { readonly code: string; readonly status?: string };

/** The error with which a promise ends, for one that ends while the test goes on. */
export const caught = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as Failure,
  );

/** Devices and apps of one network in a simulated world, without an NMN, that remember each other's addresses. */
export class House {
  readonly world: SimulatedWorld;
  readonly network: SmallNetwork;
  readonly hosts = new Map<string, SimulatedHost>();

  private constructor(world: SimulatedWorld, network: SmallNetwork) {
    this.world = world;
    this.network = network;
  }

  static async create(seed: number, crypto: CryptoProvider = real, recorder?: Recorder): Promise<House> {
    const yieldTurn = (): Promise<void> => new Promise(setImmediate);
    const world = new SimulatedWorld({ seed, crypto, yieldTurn, ...(recorder && { recorder }) });
    const hosts = Object.keys(PORTS).map(name => [name, world.host({ name })] as const);
    const first = hosts[0]![1];
    const network = smallNetwork(crypto, first.random, first.wallTime(), [
      { name: 'Desk', kind: 'device' },
      { name: 'Shelf', kind: 'device' },
      { name: 'phone', kind: 'client', role: 'guest' },
      { name: 'tablet', kind: 'client', role: 'guest' },
    ]);
    const house = new House(world, network);
    for (const [name, host] of hosts) house.hosts.set(name, host);
    const addresses = new Map(
      hosts.map(([name, host]) => [memberOf(network, name).nodeId, [host.address(PORTS[name]!)]]),
    );
    for (const [name, host] of hosts) {
      const others = new Map([...addresses].filter(([nodeId]) => nodeId !== memberOf(network, name).nodeId));
      await house.during(host.openStore().write(storeOf(network, name, others)));
    }
    return house;
  }

  host(name: string): SimulatedHost {
    return this.hosts.get(name)!;
  }

  nodeId(name: string): number {
    return memberOf(this.network, name).nodeId;
  }

  /** Starts a device with an empty tree. */
  async device(name = 'Desk', store: Store = this.host(name).openStore()): Promise<Device> {
    const options = { store, port: PORTS[name]!, allowDocumentationAddresses: true, transport: YOUNG_KEYS };
    return this.during(
      Device.open(options, { host: this.host(name), store, resolve: () => Promise.resolve([]) }),
    );
  }

  /** A device with a lamp that does as it is told. */
  async lamp(name = 'Desk'): Promise<{ device: Device; lamp: Lamp; runs: string[] }> {
    const device = await this.device(name);
    const runs: string[] = [];
    const lamp = device.addResource('lamp', [onOff, level, temperatureMeasurement]);
    lamp.onOff.set({ on: false });
    lamp.level.set({ level: 10 });
    lamp.onOff.handle({
      turnOn: () => {
        runs.push('turnOn');
        lamp.onOff.set({ on: true });
      },
      turnOff: () => {
        runs.push('turnOff');
        lamp.onOff.set({ on: false });
      },
    });
    lamp.level.handle({
      setLevel: async ({ level: wanted }) => {
        runs.push(`setLevel ${wanted}`);
        lamp.level.set({ level: wanted });
      },
    });
    return { device, lamp, runs };
  }

  /** Starts an app. */
  async app(name = 'phone', options: Partial<ConnectOptions> = {}): Promise<ClientNetwork> {
    const host = this.host(name);
    return this.during(
      openNetwork(platformOf(host), {
        store: host.openStore(),
        port: PORTS[name]!,
        allowDocumentationAddresses: true,
        transport: YOUNG_KEYS,
        ...options,
      }),
    );
  }

  /** Puts a state of the network into the store of somebody that has not started yet. */
  async know(name: string, state: NetworkState): Promise<void> {
    const store = this.host(name).openStore();
    await this.during(store.write(storeOf(this.network, name, new Map(), state)));
  }

  /** The power of a machine fails and comes back. */
  restart(name: string): void {
    this.hosts.set(name, this.host(name).restart());
  }

  cut(name: string): void {
    this.host(name).board.setConditions({ loss: 1 });
  }

  heal(name: string): void {
    this.host(name).board.setConditions({ loss: 0 });
  }

  /** Lets the world go on until a promise is settled. */
  async during<T>(promise: Promise<T>, limit: Duration = seconds(120)): Promise<T> {
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    promise.then(end, end);
    await this.world.until(() => settled, limit, 'a promise');
    return promise;
  }

  /** The error with which a promise ends. */
  async failure(promise: Promise<unknown>, limit?: Duration): Promise<Failure> {
    return this.during(caught(promise), limit);
  }

  async run(ms: number): Promise<void> {
    await this.world.run(milliseconds(ms));
  }
}

/** The lamp of {@link House.lamp}. */
export type Lamp = DeviceResource<[typeof onOff, typeof level, typeof temperatureMeasurement]>;

/** The state as somebody has it who has not heard yet that a member was given its role. */
export function stateWithoutRole(house: House, name: string): NetworkState {
  const { network } = house;
  const { random } = house.host(name);
  const state = stateWithout(real, network, name);
  const member = network.state.member(memberOf(network, name).nodeId)!;
  const { leaf, issuers } = member.credential;
  const before = signMembership(real, network.authority, {
    ...leaf,
    role: 'none',
    serial: randomSerial(random),
  });
  const content = {
    kind: 'member',
    name,
    joinedAt: leaf.issuedAt,
    credential: { leaf: before, issuers },
  } as const;
  const order = { authorityNumber: 1, version: 1 };
  state.apply([
    signRecord(real, network.authority, {
      network: network.network,
      order,
      issuedAt: leaf.issuedAt,
      content,
    }),
  ]);
  return state;
}
