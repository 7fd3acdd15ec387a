import { type Instant, seconds } from '../../src/base/index.js';
import { type ClusterEvent, ClusterNode, type SavedNode } from '../../src/interface/index.js';
import type {
  Link,
  LinkId,
  Machine,
  RunningMachine,
  SendError,
  Transmit,
} from '../../src/interface/machine.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import type { CryptoProvider } from '../../src/crypto/provider.js';
import {
  memberOf,
  savedNode,
  type SimulatedHost,
  SimulatedWorld,
  type SmallNetwork,
  smallNetwork,
} from '../../src/testing/index.js';
import { Renegade } from './renegade.js';
import { packetKind, type PacketKind, parseSocketAddress, type SocketAddress } from '../../src/wire/index.js';

export const crypto: CryptoProvider = await createCryptoProvider();

/** A service of nobody's, for the messages of tests. */
export const SERVICE = 0x8000;

/** A datagram that passed the socket of a machine. */
export interface Passed {
  readonly remote: string;
  readonly bytes: Uint8Array;
}

/** Somebody between a machine and its socket, who sees every datagram and may keep some back. */
export class Tap<Event> implements Machine<Event> {
  readonly received: Passed[] = [];
  readonly sent: Passed[] = [];
  /** Whether datagrams are kept. */
  recording = true;
  /** Keeps back what it says before the machine sees it. */
  withhold: (remote: SocketAddress, bytes: Uint8Array) => boolean = () => false;
  readonly #machine: Machine<Event>;

  constructor(machine: Machine<Event>) {
    this.#machine = machine;
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    if (this.recording) this.received.push({ remote: remote.key, bytes: bytes.slice() });
    if (!this.withhold(remote, bytes)) this.#machine.handleDatagram(now, link, remote, bytes);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    const transmit = this.#machine.pollTransmit(now);
    if (transmit && this.recording)
      this.sent.push({ remote: transmit.remote.key, bytes: transmit.bytes.slice() });
    return transmit;
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#machine.handleSendError(now, link, remote, error);
  }

  handleLinks(now: Instant, links: readonly Link[]): void {
    this.#machine.handleLinks(now, links);
  }

  handleTimeout(now: Instant): void {
    this.#machine.handleTimeout(now);
  }

  pollEvent(): Event | undefined {
    return this.#machine.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return this.#machine.pollTimeout();
  }
}

/** A member that runs in a {@link Household}. */
export interface Inhabitant {
  readonly name: string;
  readonly nodeId: number;
  readonly saved: SavedNode;
  readonly node: ClusterNode;
  readonly tap: Tap<ClusterEvent>;
  readonly host: SimulatedHost;
  readonly port: number;
  readonly events: ClusterEvent[];
  readonly running: RunningMachine;
}

const NAMES = ['lamp', 'phone', 'door'] as const;
type Name = (typeof NAMES)[number];

/** Members of one network in one simulated world, without an NMN, who remember each other's addresses. */
export class Household {
  readonly world: SimulatedWorld;
  readonly network: SmallNetwork;
  readonly #hosts: ReadonlyMap<string, SimulatedHost>;
  readonly #provider: CryptoProvider;

  /** `provider`: what the members encrypt with, for who wants to look over their shoulder. `place`: all in one LAN. */
  constructor(seed: number, provider: CryptoProvider = crypto, place: 'internet' | 'lan' = 'internet') {
    this.#provider = provider;
    this.world = new SimulatedWorld({ seed, crypto });
    const on = place === 'lan' ? { on: this.world.network.lan({ name: 'home' }) } : {};
    this.#hosts = new Map(NAMES.map(name => [name, this.world.host({ name, ...on })]));
    const first = this.#hosts.get('lamp')!;
    this.network = smallNetwork(crypto, first.random, first.wallTime(), [
      { name: 'lamp', kind: 'device' },
      { name: 'phone', kind: 'client', role: 'guest' },
      { name: 'door', kind: 'device' },
    ]);
  }

  /** Starts a member; `before`: it was running already and has kept this. */
  start(
    name: Name,
    before?: SavedNode,
    host = this.#hosts.get(name)!,
    nmnAddresses: readonly SocketAddress[] = [],
  ): Inhabitant {
    const addresses = new Map(
      NAMES.filter(other => other !== name).map(other => [
        memberOf(this.network, other).nodeId,
        [this.#hosts.get(other)!.address(portOf(other))],
      ]),
    );
    const saved = before
      ? { ...before, bootCounter: before.bootCounter + 1 }
      : savedNode(this.network, name, host.random, addresses);
    const node = new ClusterNode({
      provider: this.#provider,
      random: host.random,
      now: host.now(),
      wall: host.wallTime(),
      saved,
      nmnAddresses,
      allowDocumentationAddresses: true,
    });
    const tap = new Tap(node);
    const events: ClusterEvent[] = [];
    const port = portOf(name);
    const running = host.attach(tap, { port }, event => events.push(event));
    return { name, nodeId: node.nodeId, saved, node, tap, host, port, events, running };
  }

  /** Gives a member's place to somebody who has its keys and follows no rule. */
  renegade(name: Name): Renegade {
    const host = this.#hosts.get(name)!;
    const renegade = new Renegade(this.network, name, host);
    renegade.running = host.attach(renegade, { port: portOf(name) });
    return renegade;
  }

  /** Lets `from` say something and time pass until `to` has heard it. How long that took, or −1: not within `limit`. */
  say(from: Inhabitant, to: Inhabitant, text: string, limit = seconds(20)): number {
    const since = this.world.now;
    from.node.send(from.host.now(), to.nodeId, SERVICE, new TextEncoder().encode(text));
    from.running.turn();
    try {
      this.world.untilNow(() => heard(to).includes(text), limit);
    } catch {
      return -1;
    }
    return this.world.now - since;
  }
}

/** The messages that somebody got. */
export const heard = (who: Inhabitant): string[] =>
  who.events.flatMap(event => (event.kind === 'message' ? [new TextDecoder().decode(event.bytes)] : []));

/** How often something happened to somebody. */
export const count = (who: Inhabitant, kind: ClusterEvent['kind']): number =>
  who.events.filter(event => event.kind === kind).length;

export const kindOf = (bytes: Uint8Array): PacketKind | undefined => packetKind(bytes[0] ?? 0);

/** The first datagram of a kind among those that passed. */
export function firstOf(passed: readonly Passed[], kind: PacketKind): Uint8Array {
  const found = passed.find(({ bytes }) => kindOf(bytes) === kind);
  if (!found) throw new Error(`no ${kind} passed`);
  return found.bytes.slice();
}

export const addressOf = (text: string): SocketAddress => {
  const found = parseSocketAddress(text);
  if (!found) throw new Error(`${text} is no address`);
  return found;
};

const portOf = (name: string): number => 5_000 + NAMES.findIndex(other => other === name);
