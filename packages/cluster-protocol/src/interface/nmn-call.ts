import {
  DropCounters,
  type Duration,
  type Instant,
  randomBytes,
  type RandomSource,
  sameBytes,
  type TraceSink,
  seconds,
  elapsed,
} from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import {
  decodeHandshakePayload,
  decodeManagement,
  encodeHandshakePayload,
  encodeManagement,
  type ManagementContent,
  networkIdOf,
  RefusalCode,
  SERVICES,
  type SessionKind,
} from '../network/index.js';
import { Endpoint, type EndpointEvent, type HandshakeFailure, type SessionHandle } from '../session/index.js';
import { MAX_UNPROVED_DATAGRAM, type SocketAddress } from '../wire/index.js';
import type { Link, LinkId, Machine, SendError, Transmit } from './machine.js';
import { versionText } from './version-text.js';

/** How long an NMN is asked before the caller is told that it does not answer. */
const PATIENCE = seconds(10);

/** Why a call came to nothing. */
export type CallFailure =
  | { readonly reason: 'unreachable'; readonly text: string }
  | { readonly reason: 'refused'; readonly code: number; readonly text: string }
  | { readonly reason: 'closed'; readonly text: string };

/** What a call tells. */
export type CallEvent =
  /** The NMN holds the key that the URI names. `rootKey`: the network's, checked against the network's id; empty for an operator's call. */
  | { readonly kind: 'open'; readonly rootKey: Uint8Array }
  | { readonly kind: 'answer'; readonly content: ManagementContent }
  | ({ readonly kind: 'failed' } & CallFailure);

/** Whom to call, and as whom. */
export interface CallOptions {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly now: Instant;
  /** Our static key: a joiner's own, or a throw-away one. */
  readonly staticKey: KeyPair;
  readonly nmnStaticKey: Uint8Array;
  readonly addresses: readonly SocketAddress[];
  /** The network; 16 zero bytes for an operator's call, which makes one. */
  readonly network: Uint8Array;
  readonly claimId: Uint8Array;
  readonly psk: Uint8Array;
  readonly patience?: Duration;
  /** Hears what happens inside; `undefined`: nobody does. */
  readonly trace?: TraceSink | undefined;
}

const NO_NETWORK = new Uint8Array(16);
const NOTHING = new Uint8Array(0);

/**
 * One short session of kind `join` with an NMN, for somebody who is no member yet: requests go out, answers come back.
 * Ends with the program that made it.
 */
export class NmnCall implements Machine<CallEvent> {
  readonly #options: CallOptions;
  readonly #endpoint: Endpoint<SessionKind>;
  readonly #events: CallEvent[] = [];
  readonly #buffer = new Uint8Array(MAX_UNPROVED_DATAGRAM);
  readonly #waiting: Uint8Array[] = [];
  readonly drops: DropCounters = new DropCounters();
  #session: SessionHandle | undefined;
  #requests = 0;
  #sequence = 1;
  #started = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#endpoint = new Endpoint<SessionKind>({
      provider: options.provider,
      random: options.random,
      drops: this.drops,
      staticKey: options.staticKey,
      resetSecret: randomBytes(options.random, 32),
      policy: {
        judgeInitiation: () => ({ verdict: 'drop', reason: 'refusedPeer' }),
        judgeResponse: (_now, payload) => this.#judge(payload),
      },
      maxSessions: 1,
      trace: options.trace && { sink: options.trace, peerName: kind => kind },
    });
  }

  /** Sends a request; its answer is an `answer` event. */
  request(now: Instant, content: ManagementContent): void {
    const bytes = encodeManagement({ ...content, requestId: ++this.#requests });
    if (this.#session === undefined) this.#waiting.push(bytes);
    else this.#send(now, bytes);
  }

  /** Says goodbye. */
  close(now: Instant): void {
    if (this.#session !== undefined) this.#endpoint.open(this.#session)?.close(now, 0, 'done');
  }

  handleLinks(now: Instant, links: readonly Link[]): void {
    if (this.#started) return;
    this.#started = true;
    const paths = this.#options.addresses.flatMap(remote =>
      links
        .filter(link => link.family === remote.family)
        .map(link => this.#endpoint.paths.intern(link.id, remote, undefined).id),
    );
    if (paths.length === 0) {
      this.#fail({
        reason: 'unreachable',
        text: 'none of its addresses has an address family that this machine has',
      });
      return;
    }
    this.#endpoint.connect(now, {
      remoteStatic: this.#options.nmnStaticKey,
      psk: this.#options.psk,
      payload: at => this.#introduce(at),
      peer: 'join',
      paths: paths.slice(0, 8),
      carry: false,
      timeout: this.#options.patience ?? PATIENCE,
    });
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.#endpoint.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#endpoint.handleSendError(now, link, remote, error);
  }

  handleTimeout(now: Instant): void {
    this.#endpoint.handleTimeout(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    do {
      const sent = this.#endpoint.pollTransmit(now, this.#buffer);
      if (sent) return { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
    } while (this.#follow(now));
    return undefined;
  }

  pollEvent(): CallEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#endpoint.pollTimeout();
  }

  #follow(now: Instant): boolean {
    let any = false;
    for (let event = this.#endpoint.pollEvent(); event; event = this.#endpoint.pollEvent()) {
      any = true;
      this.#take(now, event);
    }
    return any;
  }

  #take(now: Instant, event: EndpointEvent<SessionKind>): void {
    switch (event.kind) {
      case 'opened':
        this.#session = event.session;
        for (const bytes of this.#waiting.splice(0)) this.#send(now, bytes);
        return;
      case 'closed':
        this.#session = undefined;
        this.#fail({ reason: 'closed', text: event.reason });
        return;
      case 'handshakeFailed':
        this.#fail(describe(event.failure));
        return;
      case 'session': {
        if (event.event.kind !== 'message' || event.event.service !== SERVICES.management) return;
        const decoded = decodeManagement(event.event.bytes);
        if (!decoded.ok) {
          this.drops.count(decoded.reason);
          return;
        }
        const { requestId: _requestId, ...content } = decoded.value;
        this.#events.push({ kind: 'answer', content });
        return;
      }
      case 'carry':
        return;
    }
  }

  #send(now: Instant, bytes: Uint8Array): void {
    if (this.#session === undefined) return;
    const sequence = this.#sequence++;
    this.#endpoint
      .open(this.#session)
      ?.sendMessage(now, { sequence, floor: sequence, service: SERVICES.management, bytes });
  }

  #introduce(now: Instant): Uint8Array {
    return encodeHandshakePayload({
      kind: 'join',
      network: this.#options.network,
      bootCounter: 0,
      uptime: Math.max(0, Math.floor(elapsed(this.#options.now, now))),
      features: 0,
      epoch: 0,
      authorityNumber: 0,
      stateVersion: 0,
      outboxIncarnation: randomBytes(this.#options.random, 8),
      inboxIncarnation: randomBytes(this.#options.random, 8),
      credential: NOTHING,
      claimId: this.#options.claimId,
      rootKey: NOTHING,
    });
  }

  #judge(
    payload: Uint8Array,
  ): { verdict: 'accept'; peer: SessionKind } | { verdict: 'drop'; reason: 'malformed' | 'wrongNetwork' } {
    const { provider, network } = this.#options;
    const decoded = decodeHandshakePayload(payload);
    if (!decoded.ok) return { verdict: 'drop', reason: 'malformed' };
    const { rootKey } = decoded.value;
    const operator = sameBytes(network, NO_NETWORK);
    if (!operator && !sameBytes(networkIdOf(provider, rootKey), network))
      return { verdict: 'drop', reason: 'wrongNetwork' };
    this.#events.push({ kind: 'open', rootKey });
    return { verdict: 'accept', peer: 'join' };
  }

  #fail(failure: CallFailure): void {
    this.#events.push({ kind: 'failed', ...failure });
  }
}

function describe(failure: HandshakeFailure): CallFailure {
  if (failure.kind === 'refused')
    return { reason: 'refused', code: failure.code, text: failure.text || refusalText(failure.code) };
  return {
    reason: 'unreachable',
    text: failure.peerVersions ? versionText(failure.peerVersions) : 'it did not answer',
  };
}

function refusalText(code: number): string {
  const name = Object.entries(RefusalCode).find(([, number]) => number === code)?.[0];
  return name ?? `refusal ${code}`;
}
