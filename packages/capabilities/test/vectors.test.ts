import { readFileSync } from 'node:fs';
import test from 'ava';
import { decodeMessage, encodeMessage } from '@coconet/capabilities';
import { capabilityVectors, meaning } from '../../../scripts/vectors/capabilities.js';

interface Vectors {
  readonly messages: readonly { readonly name: string; readonly message: unknown; readonly hex: string }[];
  readonly refused: readonly { readonly why: string; readonly hex: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test-vectors/capabilities.json', import.meta.url), 'utf8'),
) as Vectors;

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

test('today’s code makes the published vectors, byte for byte', t => {
  t.deepEqual(capabilityVectors(), vectors);
});

for (const { name, message, hex } of vectors.messages)
  test(`vector: ${name}`, t => {
    const result = decodeMessage(bytesOf(hex));

    t.true(result.ok);
    if (!result.ok) return;
    t.deepEqual(meaning(result.value), message);
    t.is(Buffer.from(encodeMessage(result.value)).toString('hex'), hex);
  });

for (const { why, hex } of vectors.refused)
  test(`refused vector: ${why}`, t => {
    t.false(decodeMessage(bytesOf(hex)).ok);
  });
