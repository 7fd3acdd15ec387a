import {
  after,
  type DropReason,
  type Duration,
  elapsed,
  type Instant,
  milliseconds,
  seconds,
  type RandomSource,
} from '../base/index.js';
import { HandshakeState, Mac1Key } from '../crypto/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { readUint32 } from '../wire/index.js';
import { CookieSeal, mac2Of } from './cookie.js';
import type { ConnectOptions, HandshakeId } from './endpoint-types.js';
import {
  INITIATION_HEADER,
  INITIATION_LENGTH,
  INITIATION_OVERHEAD,
  initiationHeader,
  MAC_LENGTH,
  MAX_INITIATION_LENGTH,
  NONCE_LENGTH,
  prologueOf,
  REFUSAL_HEADER,
  REFUSAL_NONCE,
  RESPONSE_HEADER,
  RETRY_LENGTH,
  retryIsGenuine,
  unwrapPayload,
  wrapPayload,
} from './handshake-packets.js';
import { assert, ClusterError } from '../base/index.js';
import type { PathId } from './session-event.js';

/** The one suite of wire version 1; an agreement on a suite would be something to be talked down in (threat T9). */
export const SUITE = 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b';

/**
 * Waits before message 1 is sent again: dense at first, because a lost first packet is what a person notices; from then
 * on every two seconds, so that whoever comes back is met within two seconds.
 */
const RETRY_DELAYS: readonly Duration[] = [250, 500, 1_000, 1_500, 2_000].map(milliseconds);

/** How long a cookie is used: as long as its secret makes others (docs/spec/02-handshake.md, "Cookie"). */
const COOKIE_LIFE = seconds(120);

/** Paths that one handshake tries at once: the candidates of one peer. */
export const MAX_HANDSHAKE_PATHS = 8;

/** A message 2 that was opened, not yet judged. */
export interface OpenedResponse {
  readonly remoteIndex: number;
  readonly resetToken: Uint8Array;
  readonly payload: Uint8Array;
  /** Gives the keys of the session; to be destroyed. */
  readonly noise: HandshakeState;
}

/** Our message 1, sent again until somebody answers (docs/spec/02-handshake.md, "Initiator"). */
export class OutgoingHandshake<Peer> {
  readonly id: HandshakeId;
  readonly options: ConnectOptions<Peer>;
  readonly paths: PathId[];
  readonly startedAt: Instant;
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  readonly #staticKey: KeyPair;
  readonly #mac1Theirs: Mac1Key;
  readonly #mac1Ours: Mac1Key;
  readonly #cookieSeal: CookieSeal;
  /** The peer's cookies for us, and whether one was taken since the last sending: one for each of the paths at most. */
  readonly #cookies = new Map<
    PathId,
    { readonly cookie: Uint8Array; readonly takenAt: Instant; isNew: boolean }
  >();
  #noise: HandshakeState;
  #datagram: Uint8Array;
  #localIndex: number;
  #sends = 0;
  #firstSentAt: Instant | undefined;
  #roundTripIsKnown = true;
  #nextSend: Instant;
  peerVersions: { readonly lowest: number; readonly highest: number } | undefined;

  constructor(
    now: Instant,
    id: HandshakeId,
    localIndex: number,
    resetToken: Uint8Array,
    options: ConnectOptions<Peer>,
    world: {
      readonly provider: CryptoProvider;
      readonly random: RandomSource;
      readonly staticKey: KeyPair;
    },
  ) {
    if (options.paths.length > MAX_HANDSHAKE_PATHS)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `a handshake takes at most ${MAX_HANDSHAKE_PATHS} paths, not ${options.paths.length}`,
      );
    this.id = id;
    this.options = options;
    this.paths = [...options.paths];
    this.startedAt = now;
    this.#provider = world.provider;
    this.#random = world.random;
    this.#staticKey = world.staticKey;
    this.#mac1Theirs = new Mac1Key(world.provider, options.remoteStatic);
    this.#mac1Ours = new Mac1Key(world.provider, world.staticKey.publicKey);
    this.#cookieSeal = new CookieSeal(world.provider, options.remoteStatic);
    this.#localIndex = localIndex;
    this.#nextSend = now;
    [this.#noise, this.#datagram] = this.#compose(now, resetToken, new Uint8Array(NONCE_LENGTH));
  }

  /** The index that the peer's answers name. */
  get localIndex(): number {
    return this.#localIndex;
  }

  /** Message 1 without a cookie: as somebody carries it. */
  get datagram(): Uint8Array {
    return this.#datagram;
  }

  /** Message 1 as it goes out on a path: with the peer's cookie for that path, while there is a good one. */
  datagramFor(now: Instant, path: PathId): Uint8Array {
    const cookie = this.#cookies.get(path);
    if (!cookie || elapsed(cookie.takenAt, now) >= COOKIE_LIFE) return this.#datagram;
    const datagram = this.#datagram.slice();
    const mac2At = datagram.length - MAC_LENGTH;
    datagram.set(mac2Of(this.#provider, cookie.cookie, datagram.subarray(0, mac2At)), mac2At);
    return datagram;
  }

  get sends(): number {
    return this.#sends;
  }

  get deadline(): Instant {
    return after(this.startedAt, this.options.timeout);
  }

  /** When {@link handleSent} or the end is due. */
  get timeout(): Instant {
    return this.#nextSend < this.deadline ? this.#nextSend : this.deadline;
  }

  /** Whether message 1 is to be sent now. */
  dueToSend(now: Instant): boolean {
    return now >= this.#nextSend && now < this.deadline;
  }

  handleSent(now: Instant): void {
    this.#firstSentAt ??= now;
    const delay = RETRY_DELAYS[Math.min(this.#sends, RETRY_DELAYS.length - 1)]!;
    this.#sends++;
    for (const cookie of this.#cookies.values()) cookie.isNew = false;
    this.#nextSend = after(now, delay);
  }

  /** How long the answer took, where it is known which message 1 it answers. */
  roundTrip(now: Instant): Duration | undefined {
    if (this.#sends !== 1 || !this.#roundTripIsKnown || this.#firstSentAt === undefined) return undefined;
    return elapsed(this.#firstSentAt, now);
  }

  /** Another path became known: message 1 goes out on it at once, or with the next repetition where somebody carries it. */
  addPath(now: Instant, path: PathId): boolean {
    if (this.paths.includes(path) || this.paths.length >= MAX_HANDSHAKE_PATHS) return false;
    this.paths.push(path);
    if (!this.options.carry) this.#nextSend = now;
    return true;
  }

  /**
   * Takes a cookie that came on one of our paths. Gives why not: one that is not for this message 1, and one more than
   * messages were sent on the path, so that whoever makes cookies on the path cannot make us send without end.
   */
  handleCookie(now: Instant, path: PathId, packet: Uint8Array): DropReason | undefined {
    if (!this.paths.includes(path) || this.#cookies.get(path)?.isNew) return 'unexpected';
    const cookie = this.#cookieSeal.open(packet, this.#mac1);
    if (!cookie) return 'handshakeFailed';
    this.#cookies.set(path, { cookie, takenAt: now, isNew: true });
    this.#roundTripIsKnown = false;
    return undefined;
  }

  /** Starts over with the nonce of a retry, under a new index and new ephemeral keys. False: the retry is forged. */
  handleRetry(now: Instant, packet: Uint8Array, localIndex: number, resetToken: Uint8Array): boolean {
    if (packet.length !== RETRY_LENGTH) return false;
    if (!retryIsGenuine(this.#provider, this.options.remoteStatic, packet, this.#mac1)) return false;
    const nonce = packet.slice(8, 8 + NONCE_LENGTH);
    this.#noise.destroy();
    this.#localIndex = localIndex;
    [this.#noise, this.#datagram] = this.#compose(now, resetToken, nonce);
    this.#sends = 0;
    this.#roundTripIsKnown = true;
    this.#firstSentAt = undefined;
    this.#nextSend = now;
    return true;
  }

  /** Opens a refusal; `undefined` when it was not made by the peer we asked. */
  openRefusal(packet: Uint8Array): { readonly code: number; readonly text: Uint8Array } | undefined {
    const key = this.#noise.exportKey('refusal');
    const header = packet.subarray(0, REFUSAL_HEADER);
    const nonce = packet.subarray(REFUSAL_HEADER, REFUSAL_HEADER + REFUSAL_NONCE);
    const content = this.#provider.xOpen(key, nonce, header, packet.subarray(REFUSAL_HEADER + REFUSAL_NONCE));
    this.#provider.zero(key);
    if (!content || content.length < 2) return undefined;
    return { code: (content[0]! << 8) | content[1]!, text: content.subarray(2) };
  }

  /**
   * Opens a message 2. `undefined`: not the answer to our message 1. It is read by a copy of the handshake, so that
   * whoever forges answers on the path costs us time and never the handshake.
   */
  openResponse(packet: Uint8Array): OpenedResponse | undefined {
    const macAt = packet.length - MAC_LENGTH;
    if (!this.#mac1Ours.verify(packet.subarray(0, macAt), packet.subarray(macAt))) return undefined;
    const attempt = this.#noise.fork();
    try {
      attempt.setPsk(0, this.options.psk);
      attempt.bind(packet.subarray(0, RESPONSE_HEADER));
      const content = unwrapPayload(attempt.readMessage(packet.subarray(RESPONSE_HEADER, macAt)));
      if (content)
        return {
          remoteIndex: readUint32(packet, 4),
          resetToken: content.token,
          payload: content.payload,
          noise: attempt,
        };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
    }
    attempt.destroy();
    return undefined;
  }

  destroy(): void {
    this.#noise.destroy();
  }

  get #mac1(): Uint8Array {
    const at = this.#datagram.length - 2 * MAC_LENGTH;
    return this.#datagram.subarray(at, at + MAC_LENGTH);
  }

  #compose(now: Instant, resetToken: Uint8Array, nonce: Uint8Array): [HandshakeState, Uint8Array] {
    const header = initiationHeader(this.#localIndex, nonce);
    const noise = new HandshakeState({
      provider: this.#provider,
      random: this.#random,
      protocolName: SUITE,
      role: 'initiator',
      prologue: prologueOf(header),
      staticKeyPair: this.#staticKey,
      remoteStatic: this.options.remoteStatic,
    });
    const payload = wrapPayload(
      resetToken,
      this.options.payload(now),
      INITIATION_LENGTH - INITIATION_OVERHEAD,
    );
    const length = INITIATION_OVERHEAD + payload.length;
    if (length > MAX_INITIATION_LENGTH)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `the payload of a handshake makes message 1 ${length} bytes long, at most ${MAX_INITIATION_LENGTH} fit`,
      );
    const datagram = new Uint8Array(length);
    datagram.set(header);
    const message = noise.writeMessage(payload);
    assert(
      message.length === length - INITIATION_HEADER - 2 * MAC_LENGTH,
      'the overhead of message 1 is known',
    );
    datagram.set(message, INITIATION_HEADER);
    const macAt = length - 2 * MAC_LENGTH;
    datagram.set(this.#mac1Theirs.compute(datagram.subarray(0, macAt)), macAt);
    return [noise, datagram];
  }
}
