import {
  type ClusterEvent,
  ClusterNode,
  type Instant,
  type Link,
  type LinkId,
  type Machine,
  type RunningMachine,
  type SavedNode,
  type SendError,
  SERVICES,
  type SocketAddress,
  type StreamRuntime,
  type Transmit,
} from '@coconet/cluster-protocol';
import type { NodeHost } from '@coconet/cluster-protocol/node';

import { LOOPBACK } from '../contestant.js';

/** Commands are messages of this service. */
export const SERVICE: number = SERVICES.capability;

/** A member of the network in this process, without a store. */
export class Member implements StreamRuntime {
  closed = false;
  readonly #host: NodeHost;
  readonly #node: ClusterNode;
  readonly #watched: WatchedMachine<ClusterEvent>;
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  #running!: RunningMachine;

  private constructor(host: NodeHost, saved: SavedNode, capped: boolean) {
    this.#host = host;
    this.#node = new ClusterNode({
      provider: host.crypto,
      random: host.random,
      now: host.now(),
      wall: host.wallTime(),
      saved,
      nmnAddresses: [],
    });
    this.#watched = new WatchedMachine(this.#node, capped);
  }

  /** `capped`: no datagram above 1452 bytes. */
  static async start(host: NodeHost, saved: SavedNode, capped: boolean): Promise<Member> {
    const member = new Member(host, saved, capped);
    member.#running = await host.run(member.#watched, { bind: [LOOPBACK] }, event => {
      for (const listener of member.#listeners) listener(event);
    });
    return member;
  }

  get port(): number {
    return this.#running.links[0]?.port ?? 0;
  }

  /** Bytes of all datagrams so far. */
  get wireBytes(): number {
    return this.#watched.bytes;
  }

  do<T>(verb: (node: ClusterNode, now: Instant) => T): T {
    const result = verb(this.#node, this.#host.now());
    this.#running.turn();
    return result;
  }

  on(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(peer: number, message: Uint8Array): void {
    this.#node.send(this.#host.now(), peer, SERVICE, message);
    this.#running.turn();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.do((node, now) => {
      node.close(now);
    });
    this.closed = true;
    await this.#running.close();
  }
}

/** Counts the bytes between a machine and its sockets, and may hide how much the interfaces take. */
export class WatchedMachine<Event> implements Machine<Event> {
  bytes = 0;
  readonly #machine: Machine<Event>;
  readonly #capped: boolean;

  constructor(machine: Machine<Event>, capped: boolean) {
    this.#machine = machine;
    this.#capped = capped;
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#machine.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#machine.handleSendError(now, link, remote, error);
  }

  handleLinks(now: Instant, links: readonly Link[]): void {
    this.#machine.handleLinks(now, this.#capped ? links.map(withoutMtu) : links);
  }

  handleTimeout(now: Instant): void {
    this.#machine.handleTimeout(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    const transmit = this.#machine.pollTransmit(now);
    if (transmit) this.bytes += transmit.bytes.length;
    return transmit;
  }

  pollEvent(): Event | undefined {
    return this.#machine.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return this.#machine.pollTimeout();
  }
}

/** As on a platform that does not tell: 1452 bytes are tried at most. */
const withoutMtu = (link: Link): Link => ({
  ...link,
  addresses: link.addresses.map(({ mtu: _hidden, ...address }) => address),
});
