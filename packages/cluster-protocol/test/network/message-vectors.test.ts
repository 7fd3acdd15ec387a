import { readFileSync } from 'node:fs';
import test from 'ava';
import { messageVectors } from '../../../../scripts/vectors/messages.js';
import { fromHex, toHex } from '../../src/base/index.js';
import {
  decodeRendezvous,
  decodeSyncMessage,
  encodeRendezvous,
  encodeSyncMessage,
} from '../../src/network/index.js';

interface Vectors {
  readonly messages: readonly { readonly hex: string }[];
  readonly refused: readonly { readonly why: string; readonly hex: string }[];
}

const load = (name: string): Vectors =>
  JSON.parse(
    readFileSync(new URL(`../../../../test-vectors/${name}.json`, import.meta.url), 'utf8'),
  ) as Vectors;

test('the vectors of messages on disk are what the code makes today', t => {
  for (const [name, vectors] of Object.entries(messageVectors()))
    t.deepEqual(load(name), vectors as Vectors, name);
});

test('the messages of the rendezvous are read and refused as the vectors say', t => {
  const { messages, refused } = load('rendezvous');

  for (const { hex } of messages) {
    const decoded = decodeRendezvous(fromHex(hex)!);
    t.true(decoded.ok && toHex(encodeRendezvous(decoded.value)) === hex, hex);
  }
  for (const { hex, why } of refused) {
    const bytes = fromHex(hex);
    t.truthy(bytes, why);
    t.false(decodeRendezvous(bytes!).ok, why);
  }
});

test('the messages of the synchronisation are read and refused as the vectors say', t => {
  const { messages, refused } = load('synchronisation');

  for (const { hex } of messages) {
    const decoded = decodeSyncMessage(fromHex(hex)!);
    t.true(decoded.ok && toHex(encodeSyncMessage(decoded.value)) === hex, hex);
  }
  for (const { hex, why } of refused) {
    const bytes = fromHex(hex);
    t.truthy(bytes, why);
    t.false(decodeSyncMessage(bytes!).ok, why);
  }
});
