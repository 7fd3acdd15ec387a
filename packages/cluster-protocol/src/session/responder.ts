import { after, type DropReason, type Instant, sameBytes, seconds, toHex } from '../base/index.js';
import { Mac1Key } from '../crypto/index.js';
import { readUint32, WIRE_VERSION } from '../wire/index.js';
import type { EndpointOptions } from './endpoint-types.js';
import { CookieJar, CookieSeal } from './cookie.js';
import type { Path } from './endpoint-paths.js';
import { Freshness } from './freshness.js';
import {
  INITIATION_LENGTH,
  isLowerKey,
  MAC_LENGTH,
  MAX_FOREIGN_INITIATION,
  MAX_INITIATION_LENGTH,
  NONCE_LENGTH,
  retryPacket,
  versionRefusal,
} from './handshake-packets.js';
import { IncomingHandshake } from './incoming-handshake.js';
import { HandshakeLoad } from './load.js';
import { MAX_HANDSHAKE_PATHS } from './outgoing-handshake.js';
import type { NewSession, SessionTable } from './session-table.js';
import { CookieLimits, SourceLimits } from './source-limits.js';

/** Responders that wait for their initiator's first packet: one per key, in all a burst of honest peers. */
const MAX_PENDING = 256;
/** For this long the one with the lower key insists on its own handshake. */
const INSISTENCE = seconds(1);
const DEFAULT_MAX_SESSIONS = 4_096;

/** What the responder needs of its endpoint. */
export interface ResponderWorld<Peer> {
  readonly sessions: SessionTable<Peer>;
  /** When our own handshake with the holder of this key began, if one is under way. */
  readonly crossing: (remoteStatic: Uint8Array) => Instant | undefined;
  readonly freshIndex: () => number;
  readonly resetToken: (index: number) => Uint8Array;
  readonly reply: (path: Path, bytes: Uint8Array) => void;
  /** Keeps a session that waits for its initiator's first packet; an older one of the same key is let go. */
  readonly pend: (now: Instant, made: NewSession<Peer>) => void;
}

/** Answers message 1, the cheapest questions first (docs/spec/02-handshake.md, "Responder"). */
export class Responder<Peer> {
  readonly #options: EndpointOptions<Peer>;
  readonly #world: ResponderWorld<Peer>;
  readonly #mac1: Mac1Key;
  readonly #freshness: Freshness;
  readonly #cookies: CookieJar;
  readonly #cookieSeal: CookieSeal;
  readonly #load = new HandshakeLoad(MAX_PENDING);
  readonly #sources = new SourceLimits();
  readonly #cookieLimits: CookieLimits;

  constructor(options: EndpointOptions<Peer>, world: ResponderWorld<Peer>) {
    this.#options = options;
    this.#world = world;
    this.#mac1 = new Mac1Key(options.provider, options.staticKey.publicKey);
    this.#freshness = new Freshness(options.provider, options.random);
    this.#cookies = new CookieJar(options.provider, options.random);
    this.#cookieLimits = new CookieLimits(options.provider, options.random);
    this.#cookieSeal = new CookieSeal(options.provider, options.staticKey.publicKey);
  }

  /**
   * A packet of kind initiation. Gives why it was dropped. `vouched`: somebody whom we know brought it, so that it needs
   * no cookie.
   */
  receive(now: Instant, path: Path, packet: Uint8Array, vouched: boolean): DropReason | undefined {
    if (packet.length < INITIATION_LENGTH || packet.length > MAX_FOREIGN_INITIATION) return 'malformed';
    const mac1At = packet.length - 2 * MAC_LENGTH;
    const mac1 = packet.subarray(mac1At, mac1At + MAC_LENGTH);
    if (!this.#mac1.verify(packet.subarray(0, mac1At), mac1)) return 'badMac1';
    const remoteIndex = readUint32(packet, 4);
    if (packet[1] !== WIRE_VERSION) {
      this.#world.reply(path, versionRefusal(remoteIndex));
      return 'unknownVersion';
    }
    if (packet.length > MAX_INITIATION_LENGTH) return 'malformed';
    const nonce = packet.subarray(8, 8 + NONCE_LENGTH);
    const fresh = !isZero(nonce) && this.#freshness.proves(now, path, nonce);
    if (this.#load.isHigh(now, this.#world.sessions.pendingCount)) {
      const reason = this.#askForProof(now, path, packet, mac1, fresh || vouched);
      if (reason !== undefined) return reason;
    }
    this.#load.count(now);
    const { provider, random, staticKey } = this.#options;
    const incoming = IncomingHandshake.open(provider, random, staticKey, packet, remoteIndex);
    if (!incoming) return 'handshakeFailed';
    const reason = this.#judge(now, path, incoming, mac1, fresh);
    if (reason !== undefined) incoming.destroy();
    return reason;
  }

  /** While loaded: only addresses that are proved have anything opened, and each only so much. */
  #askForProof(
    now: Instant,
    path: Path,
    packet: Uint8Array,
    mac1: Uint8Array,
    proved: boolean,
  ): DropReason | undefined {
    const mac2At = packet.length - MAC_LENGTH;
    const mac2 = packet.subarray(mac2At);
    const hasMac2 = !isZero(mac2);
    if (!proved && !(hasMac2 && this.#cookies.verify(now, path, packet.subarray(0, mac2At), mac2))) {
      if (!this.#cookieLimits.allows(now, path)) return 'rateLimited';
      const cookie = this.#cookies.cookie(now, path);
      this.#world.reply(
        path,
        this.#cookieSeal.seal(this.#options.random, readUint32(packet, 4), mac1, cookie),
      );
      return hasMac2 ? 'badCookie' : 'cookieAsked';
    }
    return this.#sources.allows(now, path) ? undefined : 'rateLimited';
  }

  #judge(
    now: Instant,
    path: Path,
    incoming: IncomingHandshake,
    mac1: Uint8Array,
    fresh: boolean,
  ): DropReason | undefined {
    const { provider, random, staticKey, policy, maxSessions = DEFAULT_MAX_SESSIONS } = this.#options;
    const { sessions } = this.#world;
    const { remoteStatic, remoteIndex, payload } = incoming;
    const key = toHex(remoteStatic);
    const waiting = sessions.pendingWith(key);
    if (waiting?.answer && sameBytes(waiting.answer.mac1, mac1)) {
      if (waiting.paths.size < MAX_HANDSHAKE_PATHS) sessions.hold(waiting, path.id);
      this.#world.reply(path, waiting.answer.response);
      return 'unexpected';
    }
    const crossing = this.#world.crossing(remoteStatic);
    if (crossing !== undefined && isLowerKey(staticKey.publicKey, remoteStatic)) {
      if (now < after(crossing, INSISTENCE)) return 'unexpected';
    }
    const judged = policy.judgeInitiation(now, { payload, remoteStatic, path, fresh });
    switch (judged.verdict) {
      case 'drop':
        return judged.reason;
      case 'refuse':
        this.#world.reply(path, incoming.refuse(random, judged.code, judged.text));
        return 'refusedPeer';
      case 'retry': {
        const nonce = this.#freshness.nonce(now, path);
        this.#world.reply(path, retryPacket(provider, staticKey.publicKey, remoteIndex, nonce, mac1));
        return 'staleInitiation';
      }
      case 'accept':
        break;
    }
    if (sessions.pendingCount >= MAX_PENDING && !waiting) return 'pendingFull';
    if (sessions.openCount >= maxSessions && sessions.openWith(key) === undefined) return 'sessionsFull';
    const index = this.#world.freshIndex();
    const response = incoming.respond(index, this.#world.resetToken(index), judged.psk, judged.payload);
    if (!response) return 'wouldAmplify';
    this.#world.pend(now, {
      state: 'pending',
      role: 'responder',
      keys: incoming.transportKeys(),
      rekeySecret: incoming.rekeySecret(),
      localIndex: index,
      remoteIndex,
      remoteStatic: remoteStatic.slice(),
      remoteToken: incoming.resetToken.slice(),
      peer: judged.peer,
      path,
      answer: { mac1: mac1.slice(), response },
    });
    this.#world.reply(path, response);
    incoming.destroy();
    return undefined;
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0);
