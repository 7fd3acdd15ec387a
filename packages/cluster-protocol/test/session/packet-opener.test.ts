import test from 'ava';
import type { AeadKey } from '../../src/crypto/provider.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { PacketOpener } from '../../src/session/packet-opener.js';
import { DATA_HEADER, FrameType, writeDataHeader } from '../../src/wire/index.js';

const INDEX = 7;
const SPAN = 2 ** 32;
const provider = await createCryptoProvider();
const newKey = (phase = 0): AeadKey => provider.aeadKey(new Uint8Array(32).fill(1 + phase));

/** A packet with a ping, sealed under its whole number or under another one. */
function packetOf(number: number, nonce: number = number, phase: 0 | 1 = 0): Uint8Array {
  const packet = new Uint8Array(DATA_HEADER + 1 + 16);
  writeDataHeader(packet, phase, INDEX, number % SPAN);
  packet[DATA_HEADER] = FrameType.ping;
  const key = newKey(phase);
  key.sealInPlace(Math.floor(nonce / SPAN), nonce % SPAN, packet, DATA_HEADER, 1);
  key.destroy();
  return packet;
}

test('the nonce of a packet is its whole number, also above 2^32', t => {
  const opener = new PacketOpener(newKey(), INDEX);
  const numbers = [0, 2 ** 30, 2 ** 31, 3 * 2 ** 30, SPAN - 1, SPAN, SPAN + 1, SPAN + 2 ** 31, 2 * SPAN];

  for (const number of numbers) {
    t.is(opener.open(packetOf(number)), undefined, String(number));
    t.is(opener.number, number);
  }
  t.is(opener.open(packetOf(2 * SPAN + 6, 6)), 'badTag');
});

test('a key is worn out with the last forgery that it may be tried on, and not before', t => {
  const opener = new PacketOpener(newKey(), INDEX, 3);

  for (const forged of [false, false, true]) {
    t.is(opener.open(packetOf(5, 6)), 'badTag');
    t.is(opener.exhausted, forged);
  }
});

test('the numbers of the old key end below the lowest that the new key has opened', t => {
  const opener = new PacketOpener(newKey(), INDEX);
  const open = (number: number, phase: 0 | 1) => opener.open(packetOf(number, number, phase));
  t.is(open(1, 0), undefined);
  opener.install(newKey(1));

  t.is(open(10, 1), undefined);
  t.is(open(9, 0), undefined, 'it may be from before the change');
  t.is(open(7, 1), undefined);

  t.is(open(8, 0), 'badTag', 'whoever sent 7 under the new key sent 8 under it too');
  t.is(open(6, 0), undefined);
});
