import {
  ClusterError,
  DropCounters,
  Endpoint,
  type EndpointEvent,
  type Instant,
  type KeyPair,
  type Link,
  type LinkId,
  type Machine,
  type RandomSource,
  seconds,
  type SendError,
  type Session,
  type SessionConfig,
  type SessionHandle,
  type SocketAddress,
  type Transmit,
} from '@coconet/cluster-protocol/core';

import { LINK } from './arena.js';
import type { KeyLog } from './key-log.js';

const PSK = new Uint8Array(32).fill(7);
const SERVICE = 0x8000;
/** Places of a message by which its text is known again. */
const LONGEST_CHECKED = 512;
/** Streams and messages that a speaker has at once, well within what another allows. */
const MOST_OPEN = 40;

/** For one datagram; whoever is given it copies it. */
const BUFFER = new Uint8Array(1_500);

/** How a speaker meets strangers. */
export interface SpeakerOptions {
  readonly random: RandomSource;
  readonly keys: KeyLog;
  readonly staticKey: KeyPair;
  /** Asks everybody for a nonce first. */
  readonly cautious?: boolean;
  /** Lets nobody in, and says so. */
  readonly refusing?: boolean;
  readonly config?: Partial<SessionConfig>;
}

/** An endpoint with a program that can do everything a session offers. What it says can be told from what it does not. */
export class Speaker implements Machine<EndpointEvent<string>> {
  readonly drops: DropCounters = new DropCounters();
  readonly endpoint: Endpoint<string>;
  /** Its public key. */
  readonly staticKey: Uint8Array;
  /** What it was told, in words; taken by who looks. */
  readonly news: string[] = [];
  /** Messages that nobody says. */
  readonly foreign: string[] = [];
  /** How many messages of its own arrived for sure, and how many it heard. */
  acknowledged = 0;
  heard = 0;
  /** Sessions that a reset, or a close of the peer, ended. */
  ended = 0;
  readonly #open = new Set<number>();
  readonly #streams: number[] = [];
  /** Packets taken by sessions that are gone. */
  #takenBefore = 0;
  readonly #live = new Map<SessionHandle, Session>();
  #sequence = 0;

  constructor(options: SpeakerOptions) {
    const { random, keys, staticKey, cautious = false, refusing = false, config } = options;
    this.staticKey = staticKey.publicKey;
    this.endpoint = new Endpoint<string>({
      provider: keys,
      random,
      drops: this.drops,
      staticKey,
      resetSecret: new Uint8Array(32).fill(staticKey.publicKey[0]!),
      session: () => ({ acceptStreams: () => true, ...config }),
      policy: {
        judgeInitiation: (_now, { fresh, remoteStatic }) => {
          if (refusing) return { verdict: 'refuse', code: 3, text: 'nobody is let in' };
          if (cautious && !fresh) return { verdict: 'retry' };
          return {
            verdict: 'accept',
            psk: PSK,
            payload: new Uint8Array(300),
            peer: `from ${remoteStatic[0]}`,
          };
        },
        judgeResponse: (_now, _payload, _static, peer) => ({ verdict: 'accept', peer }),
      },
    });
  }

  /** Packets that its sessions took. */
  get taken(): number {
    let taken = this.#takenBefore;
    for (const session of this.#live.values()) taken += session.statistics().receivedPackets;
    return taken;
  }

  /** The session with a peer. */
  session(remoteStatic: Uint8Array): Session | undefined {
    const handle = this.endpoint.sessionWith(remoteStatic);
    return handle === undefined ? undefined : this.endpoint.open(handle);
  }

  dial(now: Instant, remote: SocketAddress, remoteStatic: Uint8Array, channel?: number): void {
    const path = this.endpoint.paths.intern(LINK, remote, channel);
    this.endpoint.connect(now, {
      remoteStatic,
      psk: PSK,
      payload: () => new Uint8Array(300),
      peer: 'to',
      paths: [path.id],
      carry: false,
      timeout: seconds(10),
    });
  }

  /** Does one of the things that programs do; nothing where there is no session. */
  act(now: Instant, remoteStatic: Uint8Array, verb: number, argument: number): void {
    const session = this.session(remoteStatic);
    if (!session) return;
    try {
      this.#act(now, session, verb, argument);
    } catch (error) {
      // What a program may not do now is told to it, and harms nobody.
      if (!(error instanceof ClusterError)) throw error;
    }
  }

  /** Sends a message. False: there is no session, or no room. */
  say(now: Instant, session: Session, length: number): boolean {
    if (this.#open.size >= MOST_OPEN) return false;
    const sequence = this.#sequence;
    session.sendMessage(now, {
      sequence,
      floor: () => Math.min(sequence, ...this.#open),
      service: SERVICE,
      bytes: messageOf(sequence, length),
    });
    this.#sequence++;
    this.#open.add(sequence);
    return true;
  }

  #act(now: Instant, session: Session, verb: number, argument: number): void {
    const stream = this.#streams[argument % Math.max(1, this.#streams.length)];
    switch (verb % 16) {
      case 0:
      case 1:
        this.say(now, session, argument);
        return;
      case 2:
        this.say(now, session, argument * 257);
        return;
      case 3:
        session.sendDatagram(now, SERVICE, messageOf(argument, argument));
        return;
      case 4:
      case 5:
        if (this.#streams.length < MOST_OPEN)
          this.#streams.push(
            session.streams.open({ service: SERVICE, oneWay: argument % 3 === 0, priority: argument & 7 }),
          );
        return;
      case 6:
      case 7:
        if (stream !== undefined) session.streams.write(stream, new Uint8Array(argument * 64));
        return;
      case 8:
        if (stream !== undefined) session.streams.end(stream);
        return;
      case 9:
        if (stream !== undefined) session.streams.reset(stream, argument);
        return;
      case 10:
        if (stream !== undefined) session.streams.stop(now, stream, argument);
        return;
      case 11:
        while (stream !== undefined && session.streams.read(now, stream) !== undefined);
        return;
      case 12:
        session.rekey(now);
        return;
      case 13:
        session.sendControl(now, 1 + (argument & 3), new Uint8Array(argument));
        return;
      case 14:
        session.cancelMessage(this.#sequence - 1 - (argument & 3));
        this.#open.delete(this.#sequence - 1 - (argument & 3));
        return;
      case 15:
        session.probePath(now, session.activePath, argument > 128);
    }
  }

  handleLinks(_now: Instant, _links: readonly Link[]): void {
    // It has one link.
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.endpoint.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.endpoint.handleSendError(now, link, remote, error);
  }

  handleTimeout(now: Instant): void {
    this.endpoint.handleTimeout(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    const sent = this.endpoint.pollTransmit(now, BUFFER);
    return sent && { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
  }

  pollEvent(): EndpointEvent<string> | undefined {
    return this.endpoint.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return this.endpoint.pollTimeout();
  }

  /** To be given every event. */
  take(event: EndpointEvent<string>): void {
    switch (event.kind) {
      case 'opened':
        if (event.replaced !== undefined) this.#forget(event.replaced);
        this.#live.set(event.session, this.endpoint.open(event.session)!);
        this.news.push(`opened as ${event.role}`);
        return;
      case 'closed':
        if (event.by === 'reset' || event.by === 'peer') this.ended++;
        this.#forget(event.session);
        this.news.push(`closed by ${event.by}: ${event.code}: ${event.by === 'local' ? event.reason : ''}`);
        return;
      case 'session':
        this.#hear(event.event);
        return;
      default:
        this.news.push(event.kind);
    }
  }

  #forget(handle: SessionHandle): void {
    this.#takenBefore += this.#live.get(handle)?.statistics().receivedPackets ?? 0;
    this.#live.delete(handle);
    this.#open.clear();
    this.#streams.length = 0;
  }

  #hear(event: Extract<EndpointEvent<string>, { kind: 'session' }>['event']): void {
    this.news.push(event.kind);
    if (event.kind === 'message') {
      this.heard++;
      if (!isMessage(event.sequence, event.bytes))
        this.foreign.push(`${event.sequence}, ${event.bytes.length} bytes`);
    } else if (event.kind === 'messageAcknowledged') {
      this.acknowledged++;
      this.#open.delete(event.sequence);
    } else if (event.kind === 'streamOpened' && this.#streams.length < MOST_OPEN)
      this.#streams.push(event.stream);
    else if (event.kind === 'streamFinished' || event.kind === 'streamReset') this.#letGo(event.stream);
  }

  #letGo(stream: number): void {
    const at = this.#streams.indexOf(stream);
    if (at >= 0) this.#streams.splice(at, 1);
  }
}

/** Bytes that tell what they are. */
function messageOf(sequence: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < Math.min(length, LONGEST_CHECKED); i++) bytes[i] = (sequence * 31 + i * 7 + 5) & 0xff;
  return bytes;
}

const isMessage = (sequence: number, bytes: Uint8Array): boolean => {
  const expected = messageOf(sequence, Math.min(bytes.length, LONGEST_CHECKED));
  return expected.every((byte, i) => byte === bytes[i]);
};
