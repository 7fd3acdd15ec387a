import { ClusterError, concatBytes, encodeText } from '../base/index.js';
import type { AeadKey, CryptoProvider, HashFunction, HashName, KeyPair } from '../crypto/provider.js';

const KEY_LENGTH = 32;
const TAG_LENGTH = 16;
const SIGNATURE_LENGTH = 64;

/**
 * INSECURE, for simulations alone: a provider that detects accidents and hides nothing. Text is "sealed" by a checksum
 * under the key and stays readable; DH is one multiplication a word; anybody can sign for anybody. It behaves like a
 * real provider wherever a protocol could notice: what was changed, or sealed under another key, nonce or associated
 * data, is refused; both sides of a DH agree; a destroyed key throws. It is fast, deterministic and pure JavaScript.
 */
export class AuthenticatingProvider implements CryptoProvider {
  readonly #hashes: ReadonlyMap<HashName, HashFunction> = new Map(
    [
      new ChecksumHash('BLAKE2b', 64, 128),
      new ChecksumHash('BLAKE2s', 32, 64),
      new ChecksumHash('SHA256', 32, 64),
      new ChecksumHash('SHA512', 64, 128),
    ].map(hash => [hash.name, hash]),
  );

  dhKeyPair(privateKey: Uint8Array): KeyPair {
    checkLength('a private key', privateKey);
    return { publicKey: multiply(privateKey, BASE_POINT), privateKey: privateKey.slice() };
  }

  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    checkLength('a private key', privateKey);
    checkLength('a public key', publicKey);
    const shared = multiply(privateKey, publicKey);
    return shared.every(byte => byte === 0) ? undefined : shared;
  }

  signingKeyPair(seed: Uint8Array): KeyPair {
    checkLength('a seed', seed);
    return { publicKey: checksum(KEY_LENGTH, PUBLIC_KEY_LABEL, seed), privateKey: seed.slice() };
  }

  sign(key: KeyPair, message: Uint8Array): Uint8Array {
    return checksum(SIGNATURE_LENGTH, SIGNATURE_LABEL, key.publicKey, message);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== KEY_LENGTH) return false;
    return this.equal(checksum(SIGNATURE_LENGTH, SIGNATURE_LABEL, publicKey, message), signature);
  }

  hash(name: HashName): HashFunction {
    const hash = this.#hashes.get(name);
    if (hash === undefined) throw new ClusterError('INVALID_ARGUMENT', `this provider has no hash ${name}`);
    return hash;
  }

  blake2b(length: number, message: Uint8Array, key: Uint8Array = NO_KEY): Uint8Array {
    if (!Number.isInteger(length) || length < 1 || length > 64 || key.length > 64)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `BLAKE2b gives 1 to 64 bytes under a key of at most 64, not ${length} under ${key.length}`,
      );
    return checksum(length, Uint8Array.of(length, key.length), key, message);
  }

  aeadKey(key: Uint8Array): AeadKey {
    checkLength('an AEAD key', key);
    return new ChecksumKey(key);
  }

  xSeal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    checkLength('an AEAD key', key);
    return concatBytes(plaintext, xTag(key, nonce, ad, plaintext));
  }

  xOpen(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    checkLength('an AEAD key', key);
    if (sealed.length < TAG_LENGTH) return undefined;
    const plaintext = sealed.slice(0, sealed.length - TAG_LENGTH);
    const genuine = this.equal(xTag(key, nonce, ad, plaintext), sealed.subarray(plaintext.length));
    return genuine ? plaintext : undefined;
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  }

  zero(bytes: Uint8Array): void {
    bytes.fill(0);
  }
}

/** A hash by its Noise name; every name gives other digests. */
class ChecksumHash implements HashFunction {
  readonly name: HashName;
  readonly hashLength: 32 | 64;
  readonly blockLength: 64 | 128;
  readonly #label: Uint8Array;

  constructor(name: HashName, hashLength: 32 | 64, blockLength: 64 | 128) {
    this.name = name;
    this.hashLength = hashLength;
    this.blockLength = blockLength;
    this.#label = encodeText(name);
  }

  digest(...parts: readonly Uint8Array[]): Uint8Array {
    return checksum(this.hashLength, this.#label, ...parts);
  }
}

/** A key whose tag is a checksum over key, nonce, associated data and text. */
class ChecksumKey implements AeadKey {
  readonly #keyWords: Uint32Array;
  readonly #lanes: Uint32Array = new Uint32Array(4);
  #destroyed = false;

  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#keyWords = Uint32Array.from({ length: KEY_LENGTH / 4 }, (_, i) => view.getUint32(4 * i));
  }

  sealInPlace(
    nonceHigh: number,
    nonceLow: number,
    buffer: Uint8Array,
    adLength: number,
    plaintextLength: number,
  ): number {
    const end = adLength + plaintextLength;
    if (!(adLength >= 0) || !(plaintextLength >= 0) || end + TAG_LENGTH > buffer.length)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `a buffer of ${buffer.length} bytes has no room for ${end} and a tag`,
      );
    this.#sum(nonceHigh, nonceLow, buffer, adLength, end);
    for (let i = 0; i < TAG_LENGTH; i++) buffer[end + i] = this.#tagByte(i);
    return end + TAG_LENGTH;
  }

  openInPlace(
    nonceHigh: number,
    nonceLow: number,
    buffer: Uint8Array,
    adLength: number,
    length: number,
  ): number {
    if (!(adLength >= 0) || !(length >= 0) || length > buffer.length)
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `a buffer of ${buffer.length} bytes does not hold ${length}`,
      );
    const end = length - TAG_LENGTH;
    if (end < adLength) return -1;
    this.#sum(nonceHigh, nonceLow, buffer, adLength, end);
    for (let i = 0; i < TAG_LENGTH; i++) if (buffer[end + i] !== this.#tagByte(i)) return -1;
    return end - adLength;
  }

  destroy(): void {
    this.#keyWords.fill(0);
    this.#destroyed = true;
  }

  #tagByte(index: number): number {
    return (this.#lanes[index >> 2]! >>> (8 * (index & 3))) & 0xff;
  }

  /** Leaves the checksum of `buffer[0, end)` in the lanes. */
  #sum(nonceHigh: number, nonceLow: number, buffer: Uint8Array, adLength: number, end: number): void {
    if (this.#destroyed) throw new ClusterError('INVALID_STATE', 'this AEAD key was destroyed');
    const lanes = this.#lanes.fill(0);
    for (let i = 0; i < this.#keyWords.length; i++) absorb(lanes, this.#keyWords[i]!);
    absorb(lanes, nonceHigh);
    absorb(lanes, nonceLow);
    absorb(lanes, adLength);
    absorbBytes(lanes, buffer, end);
    finish(lanes);
  }
}

const NO_KEY = new Uint8Array(0);
const PUBLIC_KEY_LABEL: Uint8Array = encodeText('public key');
const SIGNATURE_LABEL: Uint8Array = encodeText('signature');
const X_LABEL: Uint8Array = encodeText('x');

/** Eight odd words: multiplying by them loses nothing. */
const BASE_POINT: Uint8Array = Uint8Array.from({ length: KEY_LENGTH }, (_, i) => (37 * i + 11) | 1);

function xTag(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const lengths = Uint8Array.of(nonce.length, ad.length, ad.length >>> 8, ad.length >>> 16, ad.length >>> 24);
  return checksum(TAG_LENGTH, X_LABEL, lengths, key, nonce, ad, plaintext);
}

/** Word by word modulo 2^32, which commutes; private words are made odd, so that different points stay different. */
function multiply(privateKey: Uint8Array, point: Uint8Array): Uint8Array {
  const product = new Uint8Array(KEY_LENGTH);
  const words = new DataView(product.buffer);
  const scalars = new DataView(privateKey.buffer, privateKey.byteOffset, KEY_LENGTH);
  const factors = new DataView(point.buffer, point.byteOffset, KEY_LENGTH);
  for (let at = 0; at < KEY_LENGTH; at += 4)
    words.setUint32(at, Math.imul(scalars.getUint32(at) | 1, factors.getUint32(at)));
  return product;
}

/** `length` bytes over the label and then all parts as one string: how the string is cut does not matter. */
function checksum(length: number, label: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const lanes = new Uint32Array(4);
  absorbBytes(lanes, label, label.length);
  let total = 0;
  let word = 0;
  for (const part of parts)
    for (let at = 0; at < part.length; at++) {
      word = (word << 8) | part[at]!;
      if ((++total & 3) === 0) absorb(lanes, word);
    }
  absorb(lanes, word);
  absorb(lanes, total);
  const output = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    if (at % TAG_LENGTH === 0) {
      absorb(lanes, at);
      finish(lanes);
    }
    output[at] = lanes[(at >> 2) & 3]! >>> (8 * (at & 3));
  }
  return output;
}

function absorbBytes(lanes: Uint32Array, bytes: Uint8Array, end: number): void {
  let at = 0;
  for (; at + 4 <= end; at += 4)
    absorb(lanes, bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
  for (; at < end; at++) absorb(lanes, bytes[at]!);
  absorb(lanes, end);
}

/** One word into all four lanes, each by another odd multiplier and a rotation: a bijection of each lane. */
function absorb(lanes: Uint32Array, word: number): void {
  const a = Math.imul(lanes[0]! ^ word, 0x9e3779b1);
  const b = Math.imul(lanes[1]! ^ word, 0x85ebca77);
  const c = Math.imul(lanes[2]! + word, 0xc2b2ae3d);
  const d = Math.imul(lanes[3]! + word, 0x27d4eb2f);
  lanes[0] = ((a << 13) | (a >>> 19)) + 1;
  lanes[1] = ((b << 11) | (b >>> 21)) + 1;
  lanes[2] = ((c << 17) | (c >>> 15)) + 1;
  lanes[3] = ((d << 7) | (d >>> 25)) + 1;
}

/** Spreads every lane over all four. */
function finish(lanes: Uint32Array): void {
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < 4; i++) {
      let mixed = lanes[i]! + lanes[(i + 1) & 3]!;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      lanes[i] = mixed ^ (mixed >>> 16);
    }
}

function checkLength(what: string, key: Uint8Array): void {
  if (key.length !== KEY_LENGTH)
    throw new ClusterError(
      'INVALID_ARGUMENT',
      `${what} has ${KEY_LENGTH} bytes, but ${key.length} were given`,
    );
}
