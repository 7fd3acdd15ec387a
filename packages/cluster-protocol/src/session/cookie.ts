import { concatBytes, encodeText, type Instant, type RandomSource, randomBytes } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { firstByte, readUint32, WIRE_VERSION, Writer } from '../wire/index.js';
import { type Path, pathName } from './endpoint-paths.js';
import { MAC_LENGTH } from './handshake-packets.js';

/*
 * The cookie packet (docs/spec/02-handshake.md, "Cookie"):
 *
 *   kind 4 | version | reserved 2 | receiver index 4 | nonce 24 | XChaCha20-Poly1305(cookie 16)
 */

/** Bytes of a cookie. */
export const COOKIE_LENGTH = 16;
/** Clear bytes in front of the nonce of a cookie packet: with mac1 its associated data. */
const HEADER = 8;
const NONCE = 24;
/** Bytes of a cookie packet: fewer than a fifteenth of the initiation that it answers. */
export const COOKIE_PACKET_LENGTH: number = HEADER + NONCE + COOKIE_LENGTH + 16;

/** A secret makes cookies for this long and knows them for as long again: WireGuard's 120 s. */
const PERIOD_MS = 120_000;

const LABEL = encodeText('coconet cookie v1');

/**
 * Makes cookies and recognises them, without remembering any: a cookie is a MAC over the path under a secret that
 * changes every 120 s (threat T6).
 */
export class CookieJar {
  readonly #provider: CryptoProvider;
  readonly #random: RandomSource;
  #period = -1;
  #secret: Uint8Array | undefined;
  #secretBefore: Uint8Array | undefined;

  constructor(provider: CryptoProvider, random: RandomSource) {
    this.#provider = provider;
    this.#random = random;
  }

  /** The cookie of whoever sends on `path` now. */
  cookie(now: Instant, path: Path): Uint8Array {
    this.#turn(now);
    this.#secret ??= randomBytes(this.#random, 32);
    return this.#bake(path, this.#secret);
  }

  /** Whether an initiation's mac2 was made with the cookie of `path`. */
  verify(now: Instant, path: Path, bytesBefore: Uint8Array, mac2: Uint8Array): boolean {
    this.#turn(now);
    return [this.#secret, this.#secretBefore].some(
      secret =>
        secret !== undefined &&
        this.#provider.equal(mac2Of(this.#provider, this.#bake(path, secret), bytesBefore), mac2),
    );
  }

  #turn(now: Instant): void {
    const period = Math.floor(now / PERIOD_MS);
    if (period === this.#period) return;
    for (const old of [this.#secretBefore, period === this.#period + 1 ? undefined : this.#secret])
      if (old) this.#provider.zero(old);
    this.#secretBefore = period === this.#period + 1 ? this.#secret : undefined;
    this.#secret = undefined;
    this.#period = period;
  }

  #bake(path: Path, secret: Uint8Array): Uint8Array {
    return this.#provider.blake2b(COOKIE_LENGTH, pathName(path), secret);
  }
}

/** mac2 of an initiation: BLAKE2b-128 keyed with the cookie, over all bytes before mac2, mac1 among them. */
export function mac2Of(provider: CryptoProvider, cookie: Uint8Array, bytesBefore: Uint8Array): Uint8Array {
  return provider.blake2b(MAC_LENGTH, bytesBefore, cookie);
}

/**
 * Seals and opens cookie packets for one responder. The key follows from its static public key, so that only members
 * can read a cookie; mac1 in the associated data lets only those answer who saw the initiation.
 */
export class CookieSeal {
  readonly #provider: CryptoProvider;
  readonly #key: Uint8Array;

  constructor(provider: CryptoProvider, responderStatic: Uint8Array) {
    this.#provider = provider;
    this.#key = provider.blake2b(32, concatBytes(LABEL, responderStatic));
  }

  /** The answer to an initiation with this sender index and mac1. */
  seal(random: RandomSource, receiverIndex: number, mac1: Uint8Array, cookie: Uint8Array): Uint8Array {
    const header = new Uint8Array(HEADER);
    new Writer(header).uint8(firstByte('cookie', 0)).uint8(WIRE_VERSION).uint16(0).uint32(receiverIndex);
    const nonce = randomBytes(random, NONCE);
    return concatBytes(
      header,
      nonce,
      this.#provider.xSeal(this.#key, nonce, concatBytes(header, mac1), cookie),
    );
  }

  /** The cookie in a packet that answers the initiation with this mac1; `undefined`: it is none. */
  open(packet: Uint8Array, mac1: Uint8Array): Uint8Array | undefined {
    if (packet.length !== COOKIE_PACKET_LENGTH) return undefined;
    const ad = concatBytes(packet.subarray(0, HEADER), mac1);
    return this.#provider.xOpen(
      this.#key,
      packet.subarray(HEADER, HEADER + NONCE),
      ad,
      packet.subarray(HEADER + NONCE),
    );
  }
}

/** The index of the handshake that a cookie packet is for; `undefined`: it is none. */
export const cookieReceiver = (packet: Uint8Array): number | undefined =>
  packet.length === COOKIE_PACKET_LENGTH ? readUint32(packet, 4) : undefined;
