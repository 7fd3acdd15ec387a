import { type Instant, randomBytes, type SavedNode, StreamSwitch } from '@coconet/cluster-protocol';
import { createNodeHost, type NodeHost } from '@coconet/cluster-protocol/node';
import { memberOf, savedNode, smallNetwork } from '@coconet/cluster-protocol/testing';
import { socketAddress } from '@coconet/cluster-protocol/wire';

import { Desk } from '../connection.js';
import { type Client, type Company, contestant, type Contestant, LOOPBACK } from '../contestant.js';
import { Deferred } from '../deferred.js';
import { requestOf, Wish } from '../request.js';
import { crowdOf, type Guest } from './coconet-crowd.js';
import { Member, SERVICE } from './coconet-member.js';

/** Members who come for one request; as many sessions may be set up before they are taken down. */
const VISITORS = 20;
/** Milliseconds from one receiver to the next: above 128 handshakes a second a node asks for cookies. */
const BETWEEN_RECEIVERS = 10;
/** Milliseconds: an acknowledgement is held back for 25 at most. */
const LONGER_THAN_ANY_ACK = 40;

const SERVER = 'server';
const CLIENT = 'client';
const visitor = (number: number): string => `visitor ${number}`;
const receiver = (number: number): string => `receiver ${number}`;
const guest = (number: number): string => `guest ${number}`;

interface Invitation {
  /** Node id of the server. */
  readonly server: number;
  readonly client: SavedNode;
  readonly visitors: readonly SavedNode[];
  readonly receivers: readonly SavedNode[];
  readonly guests: readonly Guest[];
}

/** Ours, with as much in a datagram as the path is found to carry: on loopback, nearly all that UDP allows. */
export const coconet: Contestant = ours(false);
/** Ours, with no more than 1452 bytes in a datagram: what fits an Ethernet under IPv6. */
export const coconet1452: Contestant = ours(true);

/**
 * Two members of one network, class `reliable` both ways, every value delivered and none twice, no store, no NMN. They
 * know each other's address as after a restart.
 */
function ours(capped: boolean): Contestant {
  return contestant<Invitation>(
    company => serve(company, capped),
    async invitation => CoconetClient.open(await createNodeHost(), invitation, capped),
  );
}

async function serve(
  { receivers, crowd }: Company,
  capped: boolean,
): Promise<{ readonly invitation: Invitation; readonly close: () => Promise<void> }> {
  const host = await createNodeHost();
  const names = [
    CLIENT,
    ...numbers(VISITORS).map(visitor),
    ...numbers(receivers).map(receiver),
    ...numbers(crowd).map(guest),
  ];
  const network = smallNetwork(host.crypto, host.random, host.wallTime(), [
    { name: SERVER, kind: 'device' },
    ...names.map(name => ({ name, kind: 'client', role: 'guest' }) as const),
  ]);
  const desk = new Desk();
  const member = await Member.start(host, savedNode(network, SERVER, host.random), capped);
  const senders = new Map<number, { send(message: Uint8Array): void }>();
  const senderTo = (peer: number): { send(message: Uint8Array): void } => {
    const sender = senders.get(peer) ?? {
      send: message => {
        member.send(peer, message);
      },
    };
    senders.set(peer, sender);
    return sender;
  };
  member.on(event => {
    if (event.kind === 'message' && event.service === SERVICE) desk.take(event.bytes, senderTo(event.peer));
  });
  const streams = new StreamSwitch(member);
  streams.handle(SERVICE, async ({ readable, writable }) => {
    const reader = readable.getReader();
    const { value } = await reader.read();
    if (value) desk.take(value, new Pouring(writable));
  });
  const address = socketAddress(LOOPBACK, member.port);
  if (!address) throw new Error('the server has no socket');
  const server = memberOf(network, SERVER);
  const known = new Map([[server.nodeId, [address]]]);
  const saved = (name: string): SavedNode => savedNode(network, name, host.random, known);
  return {
    invitation: {
      server: server.nodeId,
      client: saved(CLIENT),
      visitors: numbers(VISITORS).map(number => saved(visitor(number))),
      receivers: numbers(receivers).map(number => saved(receiver(number))),
      guests: numbers(crowd).map(number => {
        const { keys, membership } = memberOf(network, guest(number));
        const secret = network.secrets.current;
        if (!secret) throw new Error('the network has no secret');
        return { keys, membership, secret, server: server.keys.static.publicKey, address };
      }),
    },
    close: () => member.close(),
  };
}

class CoconetClient implements Client {
  onAnswer: (answer: Uint8Array) => void = () => undefined;
  onValue: (receiver: number, value: Uint8Array) => void = () => undefined;
  readonly #host: NodeHost;
  readonly #member: Member;
  readonly #streams: StreamSwitch;
  readonly #invitation: Invitation;
  readonly #capped: boolean;
  #visits = 0;
  #visiting: Member[] = [];
  #receivers: Member[] = [];
  #leave: () => Promise<void> = () => Promise.resolve();

  private constructor(host: NodeHost, member: Member, invitation: Invitation, capped: boolean) {
    this.#host = host;
    this.#member = member;
    this.#streams = new StreamSwitch(member);
    this.#invitation = invitation;
    this.#capped = capped;
    member.on(event => {
      if (event.kind === 'message' && event.service === SERVICE) this.onAnswer(event.bytes);
    });
  }

  static async open(host: NodeHost, invitation: Invitation, capped: boolean): Promise<CoconetClient> {
    const member = await Member.start(host, invitation.client, capped);
    const client = new CoconetClient(host, member, invitation, capped);
    const connected = new Deferred<undefined>();
    member.on(event => {
      if (event.kind === 'connected') connected.resolve(undefined);
      else if (event.kind === 'unreachable') connected.reject(new Error(event.text));
    });
    member.do((node, now) => {
      node.connect(now, invitation.server);
    });
    await connected.promise;
    return client;
  }

  get wireBytes(): number {
    return this.#member.wireBytes;
  }

  request(request: Uint8Array): void {
    this.#member.send(this.#invitation.server, request);
  }

  publish(value: Uint8Array): void {
    this.request(value);
  }

  async setUp(request: Uint8Array): Promise<number> {
    const { visitors } = this.#invitation;
    const before = visitors[this.#visiting.length];
    if (!before) throw new Error(`there are ${VISITORS} visitors and all of them are here`);
    // As a program does that was started again: certificates and addresses in its store, nothing in its memory.
    const saved: SavedNode = {
      ...before,
      bootCounter: before.bootCounter + ++this.#visits,
      outboxIncarnation: randomBytes(this.#host.random, 8),
      inboxIncarnation: randomBytes(this.#host.random, 8),
    };
    const member = await Member.start(this.#host, saved, this.#capped);
    this.#visiting.push(member);
    const begun = this.#host.now();
    return (await this.#ask(member, request)) - begun;
  }

  async takeDown(): Promise<void> {
    // The server must have its acknowledgements, or it would look for the visitors to send its answers again.
    await pause(LONGER_THAN_ANY_ACK);
    await Promise.all(this.#visiting.map(member => member.close()));
    this.#visiting = [];
  }

  async enlist(count: number): Promise<void> {
    if (this.#receivers.length > 0) return;
    const savedNodes = this.#invitation.receivers.slice(0, count);
    this.#receivers = await Promise.all(
      savedNodes.map(saved => Member.start(this.#host, saved, this.#capped)),
    );
    for (const [number, member] of this.#receivers.entries()) {
      await this.#ask(member, requestOf(0, Wish.enlist));
      await pause(BETWEEN_RECEIVERS);
      member.on(event => {
        if (event.kind === 'message' && event.service === SERVICE) this.onValue(number, event.bytes);
      });
    }
  }

  async pull(bytes: number): Promise<number> {
    const { server } = this.#invitation;
    const start = this.#host.now();
    const { readable, writable } = await this.#streams.open(server, { service: SERVICE });
    const writer = writable.getWriter();
    const asked = writer.write(requestOf(0, Wish.pour, bytes));
    const reader = readable.getReader();
    for (let left = bytes; left > 0;) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the stream ended ${left} bytes too early`);
      left -= value.length;
    }
    const time = this.#host.now() - start;
    await asked;
    await writer.close();
    return time;
  }

  async crowd(): Promise<void> {
    this.#leave = await crowdOf(this.#host, this.#invitation.guests, this.#capped);
  }

  async close(): Promise<void> {
    await this.#leave();
    const all = [this.#member, ...this.#visiting, ...this.#receivers];
    await Promise.all(all.map(member => member.close()));
  }

  /** Asks the server as `member`; gives when the answer came. */
  async #ask(member: Member, request: Uint8Array): Promise<Instant> {
    const answer = new Deferred<Instant>();
    const stop = member.on(event => {
      if (event.kind === 'message') answer.resolve(this.#host.now());
      else if (event.kind === 'unreachable') answer.reject(new Error(event.text));
    });
    member.send(this.#invitation.server, request);
    try {
      return await answer.promise;
    } finally {
      stop();
    }
  }
}

/** The server's half of a stream, as whoever asks for bytes sees it. */
class Pouring {
  /** Bytes of one write. */
  static readonly #chunk = 65_536;
  readonly #writable: WritableStream<Uint8Array>;

  constructor(writable: WritableStream<Uint8Array>) {
    this.#writable = writable;
  }

  send(): void {
    throw new Error('a stream is for bytes in bulk');
  }

  async pour(bytes: number): Promise<void> {
    const writer = this.#writable.getWriter();
    const chunk = new Uint8Array(Pouring.#chunk);
    for (let left = bytes; left > 0; left -= chunk.length)
      await writer.write(left < chunk.length ? chunk.subarray(0, left) : chunk);
    await writer.close();
  }
}

const pause = (time: number): Promise<unknown> => new Promise(resolve => setTimeout(resolve, time));

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number);
