import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  sign,
  verify,
} from 'node:crypto';

import test from 'ava';
import fc from 'fast-check';

import { ClusterError, randomBytes, toHex } from '../../src/base/index.js';
import type { HashName } from '../../src/crypto/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { allProviders, bareSodiumProvider, hex, nodeProvider, realProviders, vectors } from './providers.js';

interface AeadVector {
  readonly key: string;
  readonly nonce: string;
  readonly ad: string;
  readonly plaintext: string;
  readonly ciphertext: string;
  readonly tag: string;
  readonly valid?: boolean;
}

interface Signed {
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

const aead = vectors<{
  chacha20Poly1305: { vectors: readonly AeadVector[] };
  xchacha20Poly1305: { vectors: readonly AeadVector[] };
}>('aead.json');
const x25519 = vectors<{
  vectors: readonly { privateKey: string; publicKey: string; shared: string }[];
  iterated: { start: string; afterOne: string; afterThousand: string };
  lowOrder: readonly string[];
}>('x25519.json');
const ed25519 = vectors<{
  valid: { vectors: readonly (Signed & { seed: string })[] };
  wycheproof: { valid: readonly (Signed & { id: number })[] };
  strictness: { vectors: readonly (Signed & { what: string })[] };
}>('ed25519.json');
const hashes = vectors<
  Record<HashName, { vectors: readonly { message: string; digest: string }[] }> &
    Record<
      'keyedBLAKE2b' | 'shortBLAKE2b',
      { vectors: readonly { key: string; message: string; digest: string }[] }
    >
>('hashes.json');

/** DER in front of the 32 bytes of a raw key (RFC 8410). */
const Der = {
  x25519Private: '302e020100300506032b656e04220420',
  x25519Public: '302a300506032b656e032100',
  ed25519Private: '302e020100300506032b657004220420',
  ed25519Public: '302a300506032b6570032100',
} as const;

const openSslPrivate = (prefix: string, key: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([hex(prefix), key]), format: 'der', type: 'pkcs8' });
const openSslPublic = (prefix: string, key: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([hex(prefix), key]), format: 'der', type: 'spki' });

/** The same bytes with the first bit flipped. */
function altered(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[0]! ^= 1;
  return copy;
}

const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const word = fc.integer({ min: 0, max: 0xffff_ffff });

for (const [name, provider] of realProviders) {
  test(`ChaCha20-Poly1305 vectors come out in place with ${name}`, t => {
    for (const vector of aead.chacha20Poly1305.vectors) {
      const [ad, text, tag] = [hex(vector.ad), hex(vector.plaintext), hex(vector.tag)];
      const nonce = new DataView(hex(vector.nonce).buffer);
      const [low, high] = [nonce.getUint32(4, true), nonce.getUint32(8, true)];
      const key = provider.aeadKey(hex(vector.key));
      const sealed = Uint8Array.of(...ad, ...hex(vector.ciphertext), ...tag);

      const buffer = new Uint8Array(sealed.length + 5).fill(0xee);
      buffer.set(ad);
      buffer.set(text, ad.length);
      const opened = key.openInPlace(high, low, sealed.slice(), ad.length, sealed.length);

      if (vector.valid === false) {
        t.is(opened, -1);
        continue;
      }
      t.is(key.sealInPlace(high, low, buffer, ad.length, text.length), sealed.length);
      t.deepEqual(buffer.subarray(0, sealed.length), sealed);
      t.deepEqual(buffer.subarray(sealed.length), new Uint8Array(5).fill(0xee));
      t.is(opened, text.length);
      t.is(key.openInPlace(high, low, buffer, ad.length, sealed.length), text.length);
      t.deepEqual(buffer.slice(ad.length, ad.length + text.length), text);
    }
    t.true(aead.chacha20Poly1305.vectors.length > 50);
  });

  test(`the XChaCha20-Poly1305 vector comes out with ${name}`, t => {
    const vector = aead.xchacha20Poly1305.vectors[0]!;
    const [key, nonce, ad, text] = [
      hex(vector.key),
      hex(vector.nonce),
      hex(vector.ad),
      hex(vector.plaintext),
    ];

    const sealed = provider.xSeal(key, nonce, ad, text);

    t.is(toHex(sealed), vector.ciphertext + vector.tag);
    t.deepEqual(provider.xOpen(key, nonce, ad, sealed), text);
    t.is(provider.xOpen(key, nonce, Uint8Array.of(1), sealed), undefined);
    t.is(provider.xOpen(key, nonce, ad, sealed.subarray(0, 15)), undefined);
  });

  test(`the X25519 vectors of RFC 7748 come out with ${name}`, t => {
    for (const { privateKey, publicKey, shared } of x25519.vectors)
      t.is(toHex(provider.dh(hex(privateKey), hex(publicKey))!), shared);

    let [k, u] = [hex(x25519.iterated.start), hex(x25519.iterated.start)];
    for (let i = 1; i <= 1_000; i++) {
      [k, u] = [provider.dh(k, u)!, k];
      if (i === 1) t.is(toHex(k), x25519.iterated.afterOne);
    }
    t.is(toHex(k), x25519.iterated.afterThousand);
    t.is(toHex(provider.dhKeyPair(hex(x25519.iterated.start)).publicKey), x25519.iterated.afterOne);
  });

  test(`points of low order give no shared secret with ${name}`, t => {
    for (const point of x25519.lowOrder)
      for (const topBit of [0, 0x80]) {
        const publicKey = hex(point);
        publicKey[31]! |= topBit; // X25519 ignores it, so these are the same points.
        t.is(provider.dh(new Uint8Array(32).fill(0x42), publicKey), undefined, point);
      }
  });

  test(`the Ed25519 vectors come out with ${name}`, t => {
    for (const { seed, publicKey, message, signature } of ed25519.valid.vectors) {
      const pair = provider.signingKeyPair(hex(seed));
      t.is(toHex(pair.publicKey), publicKey);
      t.is(toHex(pair.privateKey), seed);
      t.is(toHex(provider.sign(pair, hex(message))), signature);
      t.true(provider.verify(hex(publicKey), hex(message), hex(signature)));
    }
  });

  test(`good Ed25519 signatures of Wycheproof are accepted with ${name}`, t => {
    for (const { publicKey, message, signature, id } of ed25519.wycheproof.valid)
      t.true(provider.verify(hex(publicKey), hex(message), hex(signature)), `test ${id}`);
  });

  test(`Ed25519 verification is strict about orders and encodings with ${name}`, t => {
    const accepted = ed25519.strictness.vectors
      .filter(({ publicKey, message, signature }) =>
        provider.verify(hex(publicKey), hex(message), hex(signature)),
      )
      .map(({ what }) => what);

    // The equation without the cofactor holds for it and neither point is of small order: RFC 8032 allows it.
    t.deepEqual(accepted, ['key and R of mixed order']);
  });

  test(`BLAKE2b with key and short outputs comes out with ${name}`, t => {
    for (const { key, message, digest } of [...hashes.keyedBLAKE2b.vectors, ...hashes.shortBLAKE2b.vectors])
      t.is(toHex(provider.blake2b(digest.length / 2, hex(message), hex(key))), digest);
    t.is(
      toHex(provider.blake2b(64, hex('616263'))),
      hashes.BLAKE2b.vectors.find(v => v.message === '616263')!.digest,
    );
  });
}

for (const name of ['BLAKE2b', 'BLAKE2s', 'SHA256', 'SHA512'] as const)
  test(`the ${name} vectors come out, in one part or in many`, t => {
    const hash = nodeProvider.hash(name);

    for (const { message, digest } of hashes[name].vectors) {
      const bytes = hex(message);
      t.is(toHex(hash.digest(bytes)), digest);
      t.is(toHex(hash.digest(...Array.from(bytes, byte => Uint8Array.of(byte)))), digest);
      t.is(digest.length / 2, hash.hashLength);
    }
    t.is(hash.name, name);
  });

test('sealing agrees with OpenSSL for any key, nonce and lengths', t => {
  const bytes = fc.uint8Array({ maxLength: 3_000 });
  fc.assert(
    fc.property(key32, word, word, bytes, bytes, (key, high, low, ad, text) => {
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32LE(low, 4);
      nonce.writeUInt32LE(high, 8);
      const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
      cipher.setAAD(ad, { plaintextLength: text.length });
      const expected = Buffer.concat([ad, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
      const buffer = new Uint8Array(expected.length);
      buffer.set(ad);
      buffer.set(text, ad.length);
      nodeProvider.aeadKey(key).sealInPlace(high, low, buffer, ad.length, text.length);
      return expected.equals(buffer);
    }),
  );
  t.pass();
});

test('X25519 and Ed25519 agree with OpenSSL', t => {
  fc.assert(
    fc.property(key32, key32, fc.uint8Array({ maxLength: 300 }), (seed, other, message) => {
      const publicKey = nodeProvider.dhKeyPair(other).publicKey;
      const pair = nodeProvider.signingKeyPair(seed);
      const signature = nodeProvider.sign(pair, message);
      const shared = diffieHellman({
        privateKey: openSslPrivate(Der.x25519Private, seed),
        publicKey: openSslPublic(Der.x25519Public, publicKey),
      });
      return (
        shared.equals(nodeProvider.dh(seed, publicKey)!) &&
        verify(null, message, openSslPublic(Der.ed25519Public, pair.publicKey), signature) &&
        sign(null, message, openSslPrivate(Der.ed25519Private, seed)).equals(signature)
      );
    }),
    { numRuns: 30 },
  );
  t.pass();
});

test('BLAKE2b agrees with OpenSSL, also past the workspace', t => {
  const hash = bareSodiumProvider.hash('BLAKE2b');

  for (const length of [0, 127, 128, 129, 65_551, 65_552, 200_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => 31 * i);
    const expected = createHash('blake2b512').update(bytes).digest('hex');
    t.is(toHex(hash.digest(bytes)), expected);
    t.is(toHex(hash.digest(bytes.subarray(0, 100), bytes.subarray(100))), expected);
    t.is(toHex(bareSodiumProvider.blake2b(64, bytes)), expected);
  }
});

test('a provider without a hash says which ones it has', t => {
  t.throws(() => bareSodiumProvider.hash('SHA256'), {
    code: 'INVALID_ARGUMENT',
    message: /no SHA256; it has BLAKE2b/,
  });
});

test('keys keep working after the memory of libsodium has grown', t => {
  const key = nodeProvider.aeadKey(new Uint8Array(32).fill(1));
  const pair = nodeProvider.signingKeyPair(new Uint8Array(32).fill(2));
  const before = new Uint8Array(40).fill(5);
  key.sealInPlace(0, 1, before, 8, 16);

  const large = new Uint8Array(12 * 1024 * 1024).fill(3); // More than the module starts with.
  const signature = nodeProvider.sign(pair, large);
  const after = new Uint8Array(40).fill(5);
  key.sealInPlace(0, 1, after, 8, 16);

  t.true(nodeProvider.verify(pair.publicKey, large, signature));
  t.deepEqual(after, before);
  t.is(key.openInPlace(0, 1, after, 8, 40), 16);
});

for (const [name, provider] of allProviders) {
  test(`what was sealed opens again, and only unchanged, with ${name}`, t => {
    const lengths = fc.record({
      ad: fc.nat({ max: 40 }),
      text: fc.nat({ max: 2_500 }),
      spare: fc.nat({ max: 9 }),
    });
    fc.assert(
      fc.property(key32, word, word, lengths, fc.nat(), (secret, high, low, length, flip) => {
        const key = provider.aeadKey(secret);
        const plain = Uint8Array.from({ length: length.ad + length.text }, (_, i) => i * 7);
        const packet = new Uint8Array(plain.length + 16 + length.spare);
        packet.set(plain);
        const total = key.sealInPlace(high, low, packet, length.ad, length.text);
        const flipped = packet.slice();
        flipped[(flip >> 3) % total]! ^= 1 << (flip & 7);
        const refused =
          key.openInPlace(high, low, flipped, length.ad, total) === -1 &&
          key.openInPlace(high, low ^ 1, packet.slice(), length.ad, total) === -1 &&
          key.openInPlace(high ^ 1, low, packet.slice(), length.ad, total) === -1;
        const opened = key.openInPlace(high, low, packet, length.ad, total);
        return refused && opened === length.text && plain.every((byte, i) => packet[i] === byte);
      }),
      { numRuns: 200 },
    );
    t.pass();
  });

  test(`any bytes are refused by opening, without an error, with ${name}`, t => {
    const key = provider.aeadKey(new Uint8Array(32).fill(7));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 120 }), (bytes, adLength) => {
        return key.openInPlace(0, 0, bytes, adLength, bytes.length) === -1;
      }),
    );
    t.pass();
  });

  test(`a buffer too small for the tag is a mistake of the caller with ${name}`, t => {
    const key = provider.aeadKey(new Uint8Array(32));
    const buffer = new Uint8Array(100);

    for (const seal of [
      () => key.sealInPlace(0, 0, buffer, 9, 76),
      () => key.sealInPlace(0, 0, buffer, -1, 20),
      () => key.sealInPlace(0, 0, buffer, 0, Number.NaN),
      () => key.openInPlace(0, 0, buffer, 9, 101),
    ])
      t.throws(seal, { instanceOf: ClusterError, code: 'INVALID_ARGUMENT' });
    t.is(key.sealInPlace(0, 0, buffer, 9, 75), 100);
  });

  test(`a destroyed key throws, and its place goes to another key, with ${name}`, t => {
    const first = provider.aeadKey(new Uint8Array(32).fill(1));
    const packet = new Uint8Array(32);
    first.sealInPlace(0, 0, packet, 0, 16);

    first.destroy();
    first.destroy();
    const second = provider.aeadKey(new Uint8Array(32).fill(2));

    t.throws(() => first.sealInPlace(0, 0, new Uint8Array(32), 0, 16), { code: 'INVALID_STATE' });
    t.throws(() => first.openInPlace(0, 0, packet, 0, 32), { code: 'INVALID_STATE' });
    t.is(second.openInPlace(0, 0, packet, 0, 32), -1);
  });

  test(`both sides of a DH agree, and strangers do not, with ${name}`, t => {
    fc.assert(
      fc.property(fc.nat(), seed => {
        // Drawn evenly: keys that differ only in the bits which X25519 sets itself are the same key.
        const random = new SeededRandom(seed);
        const draw = () => provider.dhKeyPair(randomBytes(random, 32));
        const [alice, bob, carol] = [draw(), draw(), draw()];
        const shared = provider.dh(alice.privateKey, bob.publicKey)!;
        return (
          provider.equal(shared, provider.dh(bob.privateKey, alice.publicKey)!) &&
          !provider.equal(shared, provider.dh(carol.privateKey, alice.publicKey)!) &&
          !provider.equal(shared, provider.dh(carol.privateKey, bob.publicKey)!)
        );
      }),
      { numRuns: 30 },
    );
    t.is(provider.dh(new Uint8Array(32).fill(1), new Uint8Array(32)), undefined);
  });

  test(`a signature holds for its key and message alone with ${name}`, t => {
    const pair = provider.signingKeyPair(new Uint8Array(32).fill(1));
    const other = provider.signingKeyPair(new Uint8Array(32).fill(2));
    const message = Uint8Array.of(1, 2, 3);
    const signature = provider.sign(pair, message);

    t.is(signature.length, 64);
    t.true(provider.verify(pair.publicKey, message, signature));
    t.false(provider.verify(other.publicKey, message, signature));
    t.false(provider.verify(pair.publicKey, Uint8Array.of(1, 2), signature));
    t.false(provider.verify(pair.publicKey.subarray(1), message, signature));
    t.false(provider.verify(pair.publicKey, message, signature.subarray(1)));
  });

  test(`a sealed box of any kind opens only with everything right with ${name}`, t => {
    const [key, nonce, ad, text] = [
      new Uint8Array(32),
      new Uint8Array(24),
      Uint8Array.of(1, 2),
      Uint8Array.of(3),
    ];

    const sealed = provider.xSeal(key, nonce, ad, text);

    t.is(sealed.length, 17);
    t.deepEqual(provider.xOpen(key, nonce, ad, sealed), text);
    t.is(provider.xOpen(key, altered(nonce), ad, sealed), undefined);
    t.is(provider.xOpen(altered(key), nonce, ad, sealed), undefined);
    t.is(provider.xOpen(key, nonce, Uint8Array.of(1), sealed), undefined);
    t.is(provider.xOpen(key, nonce, ad, altered(sealed)), undefined);
  });

  test(`operands of a wrong length are mistakes of the caller with ${name}`, t => {
    const [short, key] = [new Uint8Array(31), new Uint8Array(32)];

    for (const call of [
      () => provider.dhKeyPair(short),
      () => provider.dh(short, key),
      () => provider.dh(key, short),
      () => provider.signingKeyPair(short),
      () => provider.aeadKey(short),
      () => provider.blake2b(0, key),
      () => provider.blake2b(65, key),
      () => provider.blake2b(16, key, new Uint8Array(65)),
      () => provider.xSeal(short, new Uint8Array(24), key, key),
    ])
      t.throws(call, { instanceOf: ClusterError, code: 'INVALID_ARGUMENT' });
  });

  test(`equal and zero do what they say with ${name}`, t => {
    const secret = Uint8Array.of(1, 2, 3);

    t.true(provider.equal(secret, Uint8Array.of(1, 2, 3)));
    t.false(provider.equal(secret, Uint8Array.of(1, 2, 4)));
    t.false(provider.equal(secret, Uint8Array.of(1, 2)));
    provider.zero(secret);

    t.deepEqual(secret, new Uint8Array(3));
  });
}
