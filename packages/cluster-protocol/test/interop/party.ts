import {
  after,
  DropCounters,
  type Duration,
  earliest,
  type Instant,
  milliseconds,
  seconds,
} from '../../src/base/index.js';
import type { CryptoProvider, KeyPair } from '../../src/crypto/provider.js';
import type { Link, LinkId, Machine, SendError, Transmit } from '../../src/interface/machine.js';
import { DuplicateFilter } from '../../src/network/index.js';
import {
  Endpoint,
  type EndpointEvent,
  type EndpointTracing,
  type HandshakeId,
  type Session,
  type SessionConfig,
  type SessionHandle,
} from '../../src/session/index.js';
import type { SimulatedHost } from '../../src/testing/index.js';
import { CloseCode, type SocketAddress } from '../../src/wire/index.js';
import type { Ledger } from './ledger.js';
import { type StreamLedger, type StreamName, StreamTraffic } from './stream-traffic.js';

/** What every party needs to know. */
export interface PartyOptions {
  readonly name: string;
  readonly crypto: CryptoProvider;
  readonly host: SimulatedHost;
  readonly keys: KeyPair;
  readonly resetSecret: Uint8Array;
  readonly remoteStatic: Uint8Array;
  /** Where the other one is; `undefined`: this one is called and does not call. */
  readonly remote: SocketAddress | undefined;
  /** How often it was started before. */
  readonly life: number;
  readonly ledger: Ledger;
  readonly streams: StreamLedger;
  readonly config: Partial<SessionConfig>;
  /** How long one call waits for its answer; 10 s unless given. */
  readonly patience?: Duration;
  /** Asks everybody who calls for a nonce first. */
  readonly cautious: boolean;
}

type HeardEvent = Extract<EndpointEvent<Life>, { kind: 'session' }>['event'];

/** The life of a party, as its handshakes tell it. */
type Life = number;

const PSK = new Uint8Array(32).fill(7);
const SERVICE = 0x8000;
const HANDSHAKE_TIMEOUT = seconds(10);
/** A call that failed is repeated after this. */
const REDIAL = milliseconds(200);
const BUFFER = 1_500;

/**
 * An endpoint with a program that always wants a session with the other party: it dials, sends what was not acknowledged
 * again in the next session, lets each message through once, and talks over streams.
 */
export class Party implements Machine<never> {
  readonly name: string;
  readonly life: Life;
  readonly endpoint: Endpoint<Life>;
  readonly drops: DropCounters = new DropCounters();
  readonly traffic: StreamTraffic;
  /** How often a session began. */
  opened = 0;
  /** How many calls of it failed. */
  failures = 0;
  /** Whether it wants a session. */
  wanted = true;
  readonly #options: PartyOptions;
  readonly #filter = new DuplicateFilter();
  readonly #outbox = new Map<number, { readonly name: number; readonly bytes: Uint8Array }>();
  readonly #buffer = new Uint8Array(BUFFER);
  #next = 1;
  #handshake: HandshakeId | undefined;
  #redialAt: Instant | undefined;
  /** The open session, and the life of the one at its other end. */
  #session: { readonly handle: SessionHandle; readonly life: Life } | undefined;

  constructor(options: PartyOptions) {
    const { name, crypto, host, keys, resetSecret, life, cautious, config } = options;
    this.name = name;
    this.life = life;
    this.#options = options;
    const payload = Uint8Array.of(life);
    this.endpoint = new Endpoint<Life>({
      provider: crypto,
      random: host.random,
      drops: this.drops,
      staticKey: keys,
      resetSecret,
      trace: traceOf(host, life),
      session: () => ({ acceptStreams: () => true, ...config }),
      policy: {
        judgeInitiation: (_now, request) =>
          cautious && !request.fresh
            ? { verdict: 'retry' }
            : { verdict: 'accept', psk: PSK, payload, peer: request.payload[0] ?? 0 },
        judgeResponse: (_now, answer) => ({ verdict: 'accept', peer: answer[0] ?? 0 }),
      },
    });
    this.traffic = new StreamTraffic(options.streams, host.board.random.fork(`traffic ${life}`), {
      open: streamOptions => this.#openStream(streamOptions),
      write: ({ session, stream }, bytes) => this.endpoint.open(session)?.streams.write(stream, bytes) ?? 0,
      end: ({ session, stream }) => this.endpoint.open(session)?.streams.end(stream),
      reset: ({ session, stream }, code) => this.endpoint.open(session)?.streams.reset(stream, code),
      stop: ({ session, stream }, code) =>
        this.endpoint.open(session)?.streams.stop(host.now(), stream, code),
      read: ({ session, stream }) => this.endpoint.open(session)?.streams.read(host.now(), stream),
    });
    if (options.remote !== undefined) this.#redialAt = host.now();
  }

  /** The open session. */
  get session(): Session | undefined {
    return this.#session && this.endpoint.open(this.#session.handle);
  }

  /** Messages that are not acknowledged. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** Sends a message of so many bytes, now or in the next session. */
  send(length: number, priority: number = 4): number {
    const { name, bytes } = this.#options.ledger.write(this.name, length, false);
    const sequence = this.#next++;
    this.#outbox.set(sequence, { name, bytes });
    this.#hand(sequence, bytes, priority);
    return sequence;
  }

  /** Changes the keys of the session, if there is one. */
  rekey(): void {
    this.session?.rekey(this.#options.host.now());
  }

  /** Takes a message back; it may have arrived. */
  cancel(sequence: number): void {
    const entry = this.#outbox.get(sequence);
    if (!entry) return;
    this.#outbox.delete(sequence);
    this.#options.ledger.release(entry.name);
    this.session?.cancelMessage(sequence);
  }

  /** Sends a datagram, if there is a session. */
  datagram(length: number): void {
    const { session } = this;
    if (!session) return;
    const { bytes } = this.#options.ledger.write(this.name, length, true);
    session.sendDatagram(this.#options.host.now(), SERVICE, bytes);
  }

  /** The power fails: nobody waits for an outcome any more. */
  die(): void {
    for (const { name } of this.#outbox.values()) this.#options.ledger.release(name);
    this.traffic.ended(undefined);
  }

  /** Ends the session for good. */
  close(now: Instant): void {
    this.wanted = false;
    this.#redialAt = undefined;
    this.session?.close(now, CloseCode.done, 'the run is over');
  }

  handleLinks(_now: Instant, _links: readonly Link[]): void {
    // Everything goes over the one socket.
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.endpoint.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.endpoint.handleSendError(now, link, remote, error);
  }

  handleTimeout(now: Instant): void {
    this.endpoint.handleTimeout(now);
    if (this.#redialAt !== undefined && this.#redialAt <= now) this.#dial(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    do {
      for (let event = this.endpoint.pollEvent(); event; event = this.endpoint.pollEvent())
        this.#take(now, event);
      const sent = this.endpoint.pollTransmit(now, this.#buffer);
      if (sent) return { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
    } while (this.endpoint.hasEvents);
    return undefined;
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollTimeout(): Instant | undefined {
    return earliest(this.endpoint.pollTimeout(), this.#redialAt);
  }

  #dial(now: Instant): void {
    this.#redialAt = undefined;
    const { remote, remoteStatic, life, patience = HANDSHAKE_TIMEOUT } = this.#options;
    if (remote === undefined || this.#handshake !== undefined || this.#session || !this.wanted) return;
    const path = this.endpoint.paths.intern(1, remote, undefined);
    this.#handshake = this.endpoint.connect(now, {
      remoteStatic,
      psk: PSK,
      payload: () => Uint8Array.of(life),
      peer: 0,
      paths: [path.id],
      carry: false,
      timeout: patience,
    });
  }

  #take(now: Instant, event: EndpointEvent<Life>): void {
    switch (event.kind) {
      case 'opened':
        this.opened++;
        this.#handshake = undefined;
        this.#redialAt = undefined;
        if (event.replaced !== undefined) this.traffic.ended(event.replaced);
        this.#session = { handle: event.session, life: event.peer };
        for (const [sequence, { bytes }] of this.#outbox) this.#hand(sequence, bytes, 4);
        return;
      case 'closed':
        this.traffic.ended(event.session);
        if (event.code === CloseCode.protocolViolation || event.code === CloseCode.keysExhausted)
          this.#options.ledger.problems.push(`${this.name} lost a session: ${event.by}: ${event.reason}`);
        if (this.#session?.handle !== event.session || event.by === 'replaced') return;
        this.#session = undefined;
        if (this.wanted) this.#redialAt = after(now, REDIAL);
        return;
      case 'handshakeFailed':
        this.failures++;
        this.#handshake = undefined;
        if (this.wanted) this.#redialAt = after(now, REDIAL);
        return;
      case 'session':
        this.#hear(event.session, event.peer, event.event);
        return;
      case 'carry':
    }
  }

  #hear(session: SessionHandle, peerLife: Life, event: HeardEvent): void {
    const { ledger } = this.#options;
    switch (event.kind) {
      case 'message':
        if (this.#filter.accept(`life ${peerLife}`, event.sequence, event.floor) === 'new')
          ledger.receive(this.life, event.bytes);
        return;
      case 'datagram':
        ledger.receive(this.life, event.bytes);
        return;
      case 'messageAcknowledged': {
        const entry = this.#outbox.get(event.sequence);
        if (!entry) return;
        this.#outbox.delete(event.sequence);
        ledger.acknowledge(entry.name, peerLife);
        return;
      }
      default:
        this.traffic.take(session, event);
    }
  }

  #hand(sequence: number, bytes: Uint8Array, priority: number): void {
    this.session?.sendMessage(this.#options.host.now(), {
      sequence,
      floor: () => this.#floor,
      service: SERVICE,
      bytes,
      priority,
    });
  }

  get #floor(): number {
    // Sequences are added in their order.
    const first = this.#outbox.keys().next();
    return first.done === true ? this.#next : first.value;
  }

  #openStream(options: Parameters<Session['streams']['open']>[0]): StreamName | undefined {
    const handle = this.#session?.handle;
    const streams = this.session?.streams;
    if (handle === undefined || streams === undefined || streams.size > MAX_STREAMS) return undefined;
    return { session: handle, stream: streams.open(options) };
  }
}

function traceOf(host: SimulatedHost, life: Life): EndpointTracing<Life> | undefined {
  const sink = host.trace(`life-${life}`);
  return sink && { sink, peerName: peer => `life ${peer}` };
}

/** Streams that a party has at once: well within what the other allows. */
const MAX_STREAMS = 50;
