import { seconds } from '@coconet/cluster-protocol';
import type { Duration, Store } from '@coconet/cluster-protocol';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import {
  memberOf,
  savedNode,
  SimulatedWorld,
  smallNetwork,
  storeOf,
} from '@coconet/cluster-protocol/testing';
import type { MemberWish, SimulatedHost, SmallNetwork } from '@coconet/cluster-protocol/testing';
import { Device } from '../../src/device.js';
import type { DeviceOptions } from '../../src/device-options.js';
import { Phone } from './phone.js';

const crypto = await createCryptoProvider();

const DEVICE_PORT = 5_000;

const WISHES: readonly MemberWish[] = [
  { name: 'Desk', kind: 'device' },
  { name: 'Shelf', kind: 'device' },
  { name: 'phone', kind: 'client', role: 'guest' },
  { name: 'tablet', kind: 'client', role: 'guest' },
];

/** A network of one device and some apps in a simulated world, without an NMN. */
export class Home {
  readonly world: SimulatedWorld;
  readonly network: SmallNetwork;
  readonly notices: string[] = [];
  host: SimulatedHost;
  #ports = DEVICE_PORT;

  private constructor(world: SimulatedWorld, host: SimulatedHost, network: SmallNetwork) {
    this.world = world;
    this.host = host;
    this.network = network;
  }

  static async create(seed: number): Promise<Home> {
    const world = new SimulatedWorld({ seed, crypto, yieldTurn: () => new Promise(setImmediate) });
    const host = world.host({ name: 'Desk' });
    const network = smallNetwork(crypto, host.random, host.wallTime(), WISHES);
    const home = new Home(world, host, network);
    await home.during(host.openStore().write(storeOf(network, 'Desk')));
    return home;
  }

  /** Lets the world go on until a promise is settled. */
  async during<T>(promise: Promise<T>, limit: Duration = seconds(60)): Promise<T> {
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    promise.then(end, end);
    await this.world.until(() => settled, limit, 'a promise');
    return promise;
  }

  /** Starts the device, again after {@link SimulatedHost.restart}. */
  async device(options: Partial<DeviceOptions> = {}, store: Store = this.host.openStore()): Promise<Device> {
    return this.during(
      Device.open(
        {
          store,
          port: DEVICE_PORT,
          allowDocumentationAddresses: true,
          onNotice: text => this.notices.push(text),
          ...options,
        },
        { host: this.host, store, resolve: () => Promise.resolve([]) },
      ),
    );
  }

  /** The power of the device fails and comes back. */
  restart(): void {
    this.host = this.host.restart();
  }

  /** An app, or whoever else the network has, that knows where the device is. */
  phone(name = 'phone', host?: SimulatedHost): Phone {
    const there = host ?? this.world.host({ name });
    const device = memberOf(this.network, 'Desk');
    const saved = savedNode(
      this.network,
      name,
      there.random,
      new Map([[device.nodeId, [this.host.address(DEVICE_PORT)]]]),
    );
    return new Phone(there, saved, ++this.#ports, device.nodeId);
  }

  async until(
    condition: () => boolean,
    limit: Duration = seconds(10),
    what = 'the condition',
  ): Promise<void> {
    await this.world.until(condition, limit, what);
  }

  async run(duration: Duration): Promise<void> {
    await this.world.run(duration);
  }
}
