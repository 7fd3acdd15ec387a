import { readFileSync } from 'node:fs';

import test from 'ava';
import fc from 'fast-check';

import { fromHex, toHex } from '../../src/base/index.js';
import {
  type Candidate,
  type CandidateKind,
  decodeCandidates,
  encodeCandidates,
  MAX_CANDIDATES,
} from '../../src/path/index.js';
import { type SocketAddress, socketAddressOfBytes } from '../../src/wire/index.js';
import { address } from './agent-bench.js';

interface Vectors {
  readonly candidates: {
    readonly name: string;
    readonly generation: number;
    readonly candidates: { readonly kind: CandidateKind; readonly address: string }[];
    readonly hex: string;
  }[];
  readonly readOnly: Vectors['candidates'];
  readonly refused: { readonly name: string; readonly hex: string }[];
}

const file = new URL('../../../../test-vectors/path.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

const listOf = ({ generation, candidates }: Vectors['candidates'][number]) => ({
  generation,
  candidates: candidates.map((candidate): Candidate => ({
    kind: candidate.kind,
    address: address(candidate.address),
  })),
});

const anyAddress = fc
  .tuple(
    fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
    fc.integer({ min: 1, max: 0xffff }),
  )
  .map(([bytes, port]): SocketAddress => socketAddressOfBytes(bytes, port)!);

const anyCandidate = fc.record({
  kind: fc.constantFrom<CandidateKind>('host', 'reflexive'),
  address: anyAddress,
});

test('every vector is written and read as it stands', t => {
  for (const vector of vectors.candidates) {
    t.is(toHex(encodeCandidates(listOf(vector))), vector.hex, vector.name);
    t.deepEqual(decodeCandidates(fromHex(vector.hex)!), { ok: true, value: listOf(vector) }, vector.name);
  }
});

test('candidates of a later kind are left out', t => {
  for (const vector of vectors.readOnly) {
    t.deepEqual(decodeCandidates(fromHex(vector.hex)!), { ok: true, value: listOf(vector) }, vector.name);
  }
});

test('malformed lists are refused', t => {
  for (const { name, hex } of vectors.refused) {
    t.deepEqual(decodeCandidates(fromHex(hex)!), { ok: false, reason: 'malformed' }, name);
  }
});

test('any list survives the wire', t => {
  const property = fc.property(
    fc.nat(),
    fc.array(anyCandidate, { maxLength: MAX_CANDIDATES }),
    (generation, candidates) => {
      const read = decodeCandidates(encodeCandidates({ generation, candidates }));
      t.deepEqual(read, { ok: true, value: { generation, candidates } });
    },
  );

  t.notThrows(() => fc.assert(property));
});

test('any bytes at all are read or refused, never thrown', t => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
    const read = decodeCandidates(bytes);
    return !read.ok || read.value.candidates.length <= MAX_CANDIDATES;
  });

  t.notThrows(() => fc.assert(property));
});
