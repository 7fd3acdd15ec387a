import { readFileSync } from 'node:fs';
import test from 'ava';
import { networkVectors } from '../../../../scripts/vectors/network.js';
import { fromHex, sameBytes, toHex, wallTime } from '../../src/base/index.js';
import {
  NetworkState,
  decodeCertificate,
  decodeCertificateOf,
  decodeCredential,
  decodeHead,
  decodeManagement,
  decodeRecord,
  encodeCertificate,
  encodeManagement,
  encodeRecord,
  keyIdOf,
  networkIdOf,
  parseJoinUri,
  parseOperatorUri,
  verifyCredential,
} from '../../src/network/index.js';
import { crypto, timeInTouchAt } from './fixture.js';

interface Encoded {
  readonly hex: string;
}

interface Vectors {
  readonly certificates: {
    readonly rootKey: string;
    readonly network: string;
    readonly owner: string;
    readonly certificates: readonly Encoded[];
    readonly credentials: readonly (Encoded & {
      readonly what: string;
      readonly time: number;
      readonly result: string;
    })[];
  };
  readonly records: {
    readonly rootKey: string;
    readonly network: string;
    readonly records: readonly (Encoded & {
      readonly outcome: string;
      readonly digests: { readonly security: string; readonly directory: string };
      readonly lampRevoked: boolean;
    })[];
    readonly head: Encoded;
    readonly snapshot: string;
  };
  readonly 'join-uri': {
    readonly join: readonly { readonly uri: string }[];
    readonly operator: readonly { readonly uri: string }[];
    readonly refused: readonly { readonly why: string; readonly uri: string }[];
  };
  readonly management: {
    readonly messages: readonly Encoded[];
    readonly refused: readonly (Encoded & { readonly why: string })[];
  };
}

const load = <K extends keyof Vectors>(name: K): Vectors[K] =>
  JSON.parse(
    readFileSync(new URL(`../../../../test-vectors/${name}.json`, import.meta.url), 'utf8'),
  ) as Vectors[K];
const bytesOf = (hex: string): Uint8Array => fromHex(hex)!;

test('the vectors on disk are what the code makes today', t => {
  for (const [name, vectors] of Object.entries(networkVectors()))
    t.deepEqual(load(name as keyof Vectors), vectors, name);
});

test('the certificates of the vectors have one encoding', t => {
  for (const { hex } of load('certificates').certificates) {
    const certificate = decodeCertificate(bytesOf(hex));

    t.true(certificate.ok && toHex(encodeCertificate(certificate.value)) === hex);
  }
});

test('the credentials of the vectors get the result they name', t => {
  const vectors = load('certificates');
  const [network, rootKey] = [bytesOf(vectors.network), bytesOf(vectors.rootKey)];
  t.deepEqual(networkIdOf(crypto, rootKey), network);
  const owner = decodeCertificateOf('membership', bytesOf(vectors.owner));
  t.true(owner.ok);
  if (!owner.ok) return;
  for (const { hex, what, time, result } of vectors.credentials) {
    const credential = decodeCredential(bytesOf(hex));
    t.true(credential.ok, what);
    if (!credential.ok) continue;

    const verified = verifyCredential(crypto, credential.value, {
      network,
      rootKey,
      time: timeInTouchAt(wallTime(time)),
      isRevoked: () => false,
      isRetired: () => false,
      inviter: keyId =>
        sameBytes(keyId, keyIdOf(crypto, owner.value.signingKey)) ? { certificate: owner.value } : undefined,
    });

    t.is(verified.ok ? 'ok' : verified.refusal, result, what);
  }
});

test('the records of the vectors lead to the digests they name', t => {
  const vectors = load('records');
  const anchor = { network: bytesOf(vectors.network), rootKey: bytesOf(vectors.rootKey) };
  const state = new NetworkState(crypto, anchor);
  for (const { hex, outcome, digests, lampRevoked } of vectors.records) {
    const record = decodeRecord(bytesOf(hex));
    t.true(record.ok);
    if (!record.ok) return;
    t.is(toHex(encodeRecord(record.value)), hex);

    const { refused } = state.apply([record.value]);

    t.is(refused[0]?.reason ?? 'applied', outcome);
    t.deepEqual(
      { security: toHex(state.digests.security), directory: toHex(state.digests.directory) },
      digests,
    );
    t.is(state.isRevoked({ nodeId: 0xfedcba98 }), lampRevoked);
  }
  const head = decodeHead(bytesOf(vectors.head.hex));
  t.true(head.ok && state.applyHead(head.value).refusal === undefined);
  t.true(state.complete);
  t.is(toHex(state.snapshot()), vectors.snapshot);
});

test('the URIs of the vectors are read and refused as they say', t => {
  const vectors = load('join-uri');
  for (const { uri } of vectors.join) t.notThrows(() => parseJoinUri(uri));
  for (const { uri } of vectors.operator) t.notThrows(() => parseOperatorUri(uri));
  for (const { why, uri } of vectors.refused)
    t.throws(() => parseJoinUri(uri), { code: 'JOIN_URI_INVALID' }, why);
});

test('the management messages of the vectors are read and refused as they say', t => {
  const vectors = load('management');
  for (const { hex } of vectors.messages) {
    const message = decodeManagement(bytesOf(hex));
    t.true(message.ok && toHex(encodeManagement(message.value)) === hex);
  }
  for (const { why, hex } of vectors.refused) t.false(decodeManagement(bytesOf(hex)).ok, why);
});
