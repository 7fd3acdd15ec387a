import { after, type DropReason, type Instant, sameBytes, seconds, toHex } from '../base/index.js';
import { Mac1Key } from '../crypto/index.js';
import { readUint32, WIRE_VERSION } from '../wire/index.js';
import type { EndpointOptions } from './endpoint-types.js';
import type { Path } from './endpoint-paths.js';
import { Freshness } from './freshness.js';
import {
  INITIATION_LENGTH,
  isLowerKey,
  MAC_LENGTH,
  MAX_INITIATION_LENGTH,
  NONCE_LENGTH,
  retryPacket,
  versionRefusal,
} from './handshake-packets.js';
import { IncomingHandshake } from './incoming-handshake.js';
import { MAX_HANDSHAKE_PATHS } from './outgoing-handshake.js';
import type { NewSession, SessionTable } from './session-table.js';

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

  constructor(options: EndpointOptions<Peer>, world: ResponderWorld<Peer>) {
    this.#options = options;
    this.#world = world;
    this.#mac1 = new Mac1Key(options.provider, options.staticKey.publicKey);
    this.#freshness = new Freshness(options.provider, options.random);
  }

  /** A packet of kind initiation. Gives why it was dropped. */
  receive(now: Instant, path: Path, packet: Uint8Array): DropReason | undefined {
    if (packet.length < 8) return 'malformed';
    if (packet[1] !== WIRE_VERSION) {
      this.#world.reply(path, versionRefusal(readUint32(packet, 4)));
      return 'unknownVersion';
    }
    if (packet.length < INITIATION_LENGTH || packet.length > MAX_INITIATION_LENGTH) return 'malformed';
    const mac1At = packet.length - 2 * MAC_LENGTH;
    const mac1 = packet.subarray(mac1At, mac1At + MAC_LENGTH);
    if (!this.#mac1.verify(packet.subarray(0, mac1At), mac1)) return 'badMac1';
    const nonce = packet.subarray(8, 8 + NONCE_LENGTH);
    const fresh = this.#freshness.proves(now, path, nonce);
    const { provider, random, staticKey } = this.#options;
    const incoming = IncomingHandshake.open(provider, random, staticKey, packet, readUint32(packet, 4));
    if (!incoming) return 'handshakeFailed';
    const reason = this.#judge(now, path, incoming, mac1, fresh);
    if (reason !== undefined) incoming.destroy();
    return reason;
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
