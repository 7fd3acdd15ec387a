import test from 'ava';
import { concatBytes, toHex } from '../../src/base/index.js';
import { keyIdOf, verifyCredential } from '../../src/network/index.js';
import { TestNetwork, daysLater, timeAt } from '../network/fixture.js';
import { hex, realProviders, vectors } from './providers.js';

const { vectors: invalid } = vectors<{
  vectors: readonly {
    id: number;
    publicKey: string;
    message: string;
    signature: string;
    why: string;
  }[];
}>('ed25519-wycheproof.json');

const home = new TestNetwork(1);
const { leaf } = home.authorization.nmnCredential;
const context = {
  ...home.anchor,
  time: timeAt(daysLater(1)),
  isRevoked: () => false,
  isRetired: () => false,
  inviter: () => undefined,
};

/** Order of the group and prime of the field (RFC 8032, section 5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const PRIME = 2n ** 255n - 19n;

/** A signature with `added` to its S, which must stay below 2^256. */
function raised(signature: Uint8Array, added: bigint): Uint8Array {
  const s = BigInt(`0x${toHex(signature.slice(32).reverse())}`) + added;
  return concatBytes(signature.subarray(0, 32), hex(s.toString(16).padStart(64, '0')).reverse());
}

for (const [name, provider] of realProviders) {
  test(`every wrong Ed25519 signature of Wycheproof is refused, alone and on a certificate, with ${name}`, t => {
    t.is(invalid.length, 63);
    for (const { id, publicKey, message, signature, why } of invalid) {
      const rootKey = hex(publicKey);
      const forged = { ...leaf, issuer: keyIdOf(provider, rootKey), signature: hex(signature) };

      const alone = provider.verify(rootKey, hex(message), hex(signature));
      const onCertificate = verifyCredential(
        provider,
        { leaf: forged, issuers: [] },
        { ...context, rootKey },
      );

      t.false(alone, `test ${id}: ${why}`);
      t.deepEqual(onCertificate, { ok: false, refusal: 'badSignature' }, `test ${id}: ${why}`);
    }
  });

  test(`the good signature of a certificate is refused once it is changed as Wycheproof does, with ${name}`, t => {
    const { signature } = leaf;
    const zero = new Uint8Array(1);
    const changed = [
      ...[1n, 2n, 4n, 8n].map(times => raised(signature, times * ORDER)),
      ...[2n ** 253n, 2n ** 254n, 2n ** 255n, PRIME].map(added => raised(signature, added)),
      ...[0, 32, 62, 63].map(length => signature.slice(0, length)),
      concatBytes(signature, zero),
      concatBytes(zero, signature),
      concatBytes(signature.subarray(0, 32), zero, signature.subarray(32)),
      concatBytes(signature, home.anchor.rootKey),
    ];

    const results = changed.map(bytes =>
      verifyCredential(provider, { leaf: { ...leaf, signature: bytes }, issuers: [] }, context),
    );

    t.true(verifyCredential(provider, { leaf, issuers: [] }, context).ok);
    for (const [i, result] of results.entries())
      t.deepEqual(result, { ok: false, refusal: 'badSignature' }, `change ${i}`);
  });
}
