import {
  type ClusterEvent,
  ClusterNode,
  type Instant,
  type LinkId,
  type Machine,
  randomBytes,
  type RunningMachine,
  type SavedNode,
  type SendError,
  type SocketAddress,
  type Transmit,
  type Link,
} from '@coconet/cluster-protocol';
import { createNodeHost, type NodeHost } from '@coconet/cluster-protocol/node';
import { memberOf, savedNode, smallNetwork } from '@coconet/cluster-protocol/testing';
import { socketAddress } from '@coconet/cluster-protocol/wire';

import { answerTo, type Client, contestant, LOOPBACK, type Contestant } from '../contestant.js';
import { Deferred } from '../deferred.js';

/** The first service number for vendors. */
const SERVICE = 0x8000;
const SERVER = 'server';
const CLIENT = 'client';
/** Members who come for one request; as many sessions may be set up before they are taken down. */
const VISITORS = 20;
const visitor = (number: number): string => `visitor ${number}`;

interface Invitation {
  /** Node id of the server. */
  readonly server: number;
  readonly client: SavedNode;
  readonly visitors: readonly SavedNode[];
}

/**
 * Ours: two members of one network, class `reliable` both ways, every value delivered and none twice, no store, no NMN.
 * They know each other's address as after a restart.
 */
export const coconet: Contestant = contestant<Invitation>(
  async () => {
    const host = await createNodeHost();
    const network = smallNetwork(host.crypto, host.random, host.wallTime(), [
      { name: SERVER, kind: 'device' },
      { name: CLIENT, kind: 'client', role: 'guest' },
      ...Array.from(
        { length: VISITORS },
        (_, i) => ({ name: visitor(i), kind: 'client', role: 'guest' }) as const,
      ),
    ]);
    const member = await start(host, savedNode(network, SERVER, host.random), (event, { node, running }) => {
      if (event.kind !== 'message' || event.service !== SERVICE) return;
      node.send(host.now(), event.peer, SERVICE, answerTo(event.bytes));
      running.turn();
    });
    const [link] = member.running.links;
    const address = link && socketAddress(LOOPBACK, link.port);
    if (!address) throw new Error('the server has no socket');
    const server = memberOf(network, SERVER).nodeId;
    const known = new Map([[server, [address]]]);
    const invitation = {
      server,
      client: savedNode(network, CLIENT, host.random, known),
      visitors: Array.from({ length: VISITORS }, (_, i) =>
        savedNode(network, visitor(i), host.random, known),
      ),
    };
    return { invitation, close: () => stop(host, member) };
  },
  async invitation => CoconetClient.open(await createNodeHost(), invitation),
);

interface Member {
  readonly node: ClusterNode;
  readonly counter: CountingMachine;
  readonly running: RunningMachine;
}

class CoconetClient implements Client {
  onAnswer: (answer: Uint8Array) => void = () => undefined;
  readonly #host: NodeHost;
  readonly #member: Member;
  readonly #invitation: Invitation;
  #visits = 0;
  #visiting: Member[] = [];

  private constructor(host: NodeHost, member: Member, invitation: Invitation) {
    this.#host = host;
    this.#member = member;
    this.#invitation = invitation;
  }

  static async open(host: NodeHost, invitation: Invitation): Promise<CoconetClient> {
    const connected = new Deferred<undefined>();
    let take: (answer: Uint8Array) => void = () => undefined;
    const member = await start(host, invitation.client, event => {
      if (event.kind === 'message') take(event.bytes);
      else if (event.kind === 'connected') connected.resolve(undefined);
      else if (event.kind === 'unreachable') connected.reject(new Error(event.text));
    });
    member.node.connect(host.now(), invitation.server);
    member.running.turn();
    await connected.promise;
    const client = new CoconetClient(host, member, invitation);
    take = answer => {
      client.onAnswer(answer);
    };
    return client;
  }

  get wireBytes(): number {
    return this.#member.counter.bytes;
  }

  request(request: Uint8Array): void {
    const { node, running } = this.#member;
    node.send(this.#host.now(), this.#invitation.server, SERVICE, request);
    running.turn();
  }

  async setUp(request: Uint8Array): Promise<number> {
    const { visitors, server } = this.#invitation;
    const host = this.#host;
    const answer = new Deferred<Instant>();
    const before = visitors[this.#visiting.length];
    if (!before) throw new Error(`there are ${VISITORS} visitors and all of them are here`);
    // As a program does that was started again: certificates and addresses in its store, nothing in its memory.
    const saved: SavedNode = {
      ...before,
      bootCounter: before.bootCounter + ++this.#visits,
      outboxIncarnation: randomBytes(host.random, 8),
      inboxIncarnation: randomBytes(host.random, 8),
    };
    const member = await start(host, saved, event => {
      if (event.kind === 'message') answer.resolve(host.now());
      else if (event.kind === 'unreachable') answer.reject(new Error(event.text));
    });
    this.#visiting.push(member);
    const begun = host.now();
    member.node.send(begun, server, SERVICE, request);
    member.running.turn();
    return (await answer.promise) - begun;
  }

  async takeDown(): Promise<void> {
    // The server must have its acknowledgements, or it would look for the visitors to send its answers again.
    await new Promise(resolve => setTimeout(resolve, LONGER_THAN_ANY_ACK));
    await Promise.all(this.#visiting.map(member => stop(this.#host, member)));
    this.#visiting = [];
  }

  close(): Promise<void> {
    return stop(this.#host, this.#member);
  }
}

/** Milliseconds: an acknowledgement is held back for 25 at most. */
const LONGER_THAN_ANY_ACK = 40;

/** Counts the bytes between a machine and its sockets. */
class CountingMachine implements Machine<ClusterEvent> {
  bytes = 0;
  readonly #machine: Machine<ClusterEvent>;

  constructor(machine: Machine<ClusterEvent>) {
    this.#machine = machine;
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#machine.handleDatagram(now, link, remote, bytes);
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

  pollTransmit(now: Instant): Transmit | undefined {
    const transmit = this.#machine.pollTransmit(now);
    if (transmit) this.bytes += transmit.bytes.length;
    return transmit;
  }

  pollEvent(): ClusterEvent | undefined {
    return this.#machine.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return this.#machine.pollTimeout();
  }
}

async function start(
  host: NodeHost,
  saved: SavedNode,
  listener: (event: ClusterEvent, member: Member) => void,
): Promise<Member> {
  const node = new ClusterNode({
    provider: host.crypto,
    random: host.random,
    now: host.now(),
    wall: host.wallTime(),
    saved,
    nmnAddresses: [],
  });
  const counter = new CountingMachine(node);
  const running = await host.run(counter, { bind: [LOOPBACK] }, event => {
    listener(event, member);
  });
  const member: Member = { node, counter, running };
  return member;
}

async function stop(host: NodeHost, { node, running }: Member): Promise<void> {
  node.close(host.now());
  running.turn();
  await running.close();
}
