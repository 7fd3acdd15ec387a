import {
  type ClusterEvent,
  ClusterNode,
  type CryptoProvider,
  type Instant,
  instant,
  type Link,
  type RandomSource,
  SERVICES,
  type SocketAddress,
  type StreamRef,
  type WallTime,
} from '@coconet/cluster-protocol';
import { memberOf, savedNode, smallNetwork } from '@coconet/cluster-protocol/testing';
import { socketAddress } from '@coconet/cluster-protocol/wire';

import { ANSWER_LENGTH, LOOPBACK, REQUEST_LENGTH } from './contestant.js';

/** Commands are messages of this service. */
const SERVICE: number = SERVICES.capability;
const LINK = 1;
/** Milliseconds from one exchange to the next, so that round trips and clocks have something to measure. */
const STEP = 0.05;
/** Virtual milliseconds for a session to come about, at most. */
const PATIENCE = 10_000;
const LOOPBACK_MTU = 65_536;
const CHUNK = 65_536;

/** What two nodes over a link in memory are made of. */
export interface LinkOptions {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly wall: WallTime;
  /** No datagram above 1452 bytes. */
  readonly capped: boolean;
}

/** One of the two nodes. */
interface End {
  readonly node: ClusterNode;
  readonly address: SocketAddress;
}

/**
 * Two nodes in one process under virtual time, every datagram handed from one to the other as it is: nothing but core
 * and crypto provider works, and what this class itself does allocates nothing for a packet.
 */
export class CoreLink {
  /** Datagrams so far, both ways. */
  packets = 0;
  /** Bytes of these datagrams. */
  bytes = 0;
  /** Requests answered so far. */
  answers = 0;
  readonly #asking: End;
  readonly #answering: End;
  readonly #request = new Uint8Array(REQUEST_LENGTH);
  readonly #answer = new Uint8Array(ANSWER_LENGTH);
  readonly #chunk = new Uint8Array(CHUNK);
  #now: Instant = instant(0);
  #connected = false;
  #wanted = 0;
  #sent = 0;
  #writing: StreamRef | undefined;
  #room = true;

  constructor({ provider, random, wall, capped }: LinkOptions) {
    const network = smallNetwork(provider, random, wall, [
      { name: 'asking', kind: 'client', role: 'guest' },
      { name: 'answering', kind: 'device' },
    ]);
    const build = (name: string, port: number, other: string, otherPort: number): End => {
      const known = new Map([[memberOf(network, other).nodeId, [loopback(otherPort)]]]);
      const node = new ClusterNode({
        provider,
        random,
        now: this.#now,
        wall,
        saved: savedNode(network, name, random, known),
        nmnAddresses: [],
      });
      node.handleLinks(this.#now, [linkOf(port, capped)]);
      return { node, address: loopback(port) };
    };
    this.#asking = build('asking', 2_001, 'answering', 2_002);
    this.#answering = build('answering', 2_002, 'asking', 2_001);
    this.#answering.node.streams.accepting = true;
  }

  /** Sets the session up. */
  connect(): void {
    this.#asking.node.connect(this.#now, this.#answering.node.nodeId);
    while (!this.#connected && this.#now < PATIENCE) this.#turn();
    if (!this.#connected) throw new Error('the two nodes do not find each other');
    // Whatever comes with a new session is over after a while.
    for (const until = this.#now + 1_000; this.#now < until;) this.#turn();
  }

  /** Exchanges requests and answers, so many of them in flight, until so many packets have gone. */
  exchange(inFlight: number, packets: number): void {
    this.#wanted = inFlight;
    for (const until = this.packets + packets; this.packets < until;) {
      while (this.#sent - this.answers < this.#wanted) this.#ask();
      this.#turn();
    }
    this.#wanted = 0;
    while (this.#sent > this.answers) this.#turn();
  }

  /** Writes as much as one stream takes, until so many packets have gone. */
  pour(packets: number): void {
    const { node } = this.#asking;
    this.#writing ??= node.streams.open(this.#answering.node.nodeId, { service: SERVICE });
    for (const until = this.packets + packets; this.packets < until;) {
      while (this.#room) this.#room = node.streams.write(this.#writing, this.#chunk) === CHUNK;
      this.#turn();
    }
  }

  #ask(): void {
    this.#sent++;
    this.#asking.node.send(this.#now, this.#answering.node.nodeId, SERVICE, this.#request);
  }

  /** Lets both speak until they are silent; then time goes on, to the next deadline when nothing was said at all. */
  #turn(): void {
    const before = this.packets;
    this.#carry(this.#asking, this.#answering);
    this.#carry(this.#answering, this.#asking);
    this.#listen(this.#asking.node);
    this.#listen(this.#answering.node);
    const due = Math.min(
      this.#asking.node.pollTimeout() ?? Infinity,
      this.#answering.node.pollTimeout() ?? Infinity,
    );
    const step = this.#now + STEP;
    this.#now = instant(this.packets === before ? Math.max(step, due) : step);
    if (due > this.#now) return;
    this.#asking.node.handleTimeout(this.#now);
    this.#answering.node.handleTimeout(this.#now);
  }

  #carry(from: End, to: End): void {
    for (;;) {
      const transmit = from.node.pollTransmit(this.#now);
      if (transmit === undefined) return;
      this.packets++;
      this.bytes += transmit.bytes.length;
      // A buffer of the sender's, which is not asked for anything meanwhile.
      to.node.handleDatagram(this.#now, LINK, from.address, transmit.bytes);
    }
  }

  #listen(node: ClusterNode): void {
    for (let event = node.pollEvent(); event !== undefined; event = node.pollEvent()) this.#take(node, event);
  }

  #take(node: ClusterNode, event: ClusterEvent): void {
    switch (event.kind) {
      case 'connected':
        this.#connected = true;
        return;
      case 'message':
        if (node === this.#asking.node) this.answers++;
        else node.send(this.#now, event.peer, SERVICE, this.#answer);
        return;
      case 'stream': {
        const { peer, session, event: told } = event;
        if (told.kind === 'streamWritable') this.#room = true;
        if (told.kind !== 'streamReadable') return;
        const ref: StreamRef = { peer, session, stream: told.stream };
        while (node.streams.read(this.#now, ref) !== undefined);
        return;
      }
      default:
        return;
    }
  }
}

function loopback(port: number): SocketAddress {
  const address = socketAddress(LOOPBACK, port);
  if (!address) throw new Error(`${LOOPBACK} is no address`);
  return address;
}

const linkOf = (port: number, capped: boolean): Link => ({
  id: LINK,
  kind: 'udp',
  family: 4,
  port,
  addresses: [
    {
      host: LOOPBACK,
      prefixLength: 8,
      interfaceName: 'lo',
      internal: true,
      ...(!capped && { mtu: LOOPBACK_MTU }),
    },
  ],
});
