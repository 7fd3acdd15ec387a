import {
  addressScope,
  concatBytes,
  dataKeyPhase,
  dataPacketNumber,
  dataReceiverIndex,
  decodeText,
  describeDatagram,
  describeFrame,
  decodeStun,
  encodeFrames,
  encodeStun,
  encodeText,
  encodeWith,
  type Frame,
  isDataPacket,
  isRelayPacket,
  isStun,
  packetFlags,
  packetKind,
  parseSocketAddress,
  readFrames,
  readSocketAddress,
  readVarint,
  Reader,
  relayChannel,
  sameBytes,
  socketAddress,
  varintLength,
  writeSocketAddress,
  writeVarint,
} from '@coconet/cluster-protocol/core';

import { changeFrames } from '../frame-mutator.js';
import { type Decoder, readParsed } from './decoder.js';
import { texts, vectorBytes } from './vectors.js';

/** Types of the frames in a packet that tell it apart from others. */
const MOST_TYPES = 2;

/** Bytes of frames that are written again: two packets. */
const MOST_ENCODED = 2_048;
/** Ms, 270 years: a longer delay loses its last units in a number of JavaScript, and nobody waits for it. */
const ENDLESS = 2 ** 43;

const isEndless = (frame: Frame): boolean => 'delay' in frame && frame.delay > ENDLESS;

const FRAMES = vectorBytes('wire', 'frames');

/** What reads the wire of the cluster protocol, without keys and behind them. */
export const WIRE_DECODERS: Readonly<Record<string, Decoder>> = {
  headers: {
    about: 'first bytes and clear headers of datagrams',
    seeds: [
      ...vectorBytes('wire', 'firstBytes'),
      ...vectorBytes('wire', 'relay'),
      ...vectorBytes('wire', 'packets'),
      ...vectorBytes('handshake'),
    ],
    read: bytes => {
      const kind = packetKind(bytes[0] ?? 0);
      const words = describeDatagram(bytes);
      if (isDataPacket(bytes)) {
        const all = [dataReceiverIndex(bytes), dataPacketNumber(bytes), dataKeyPhase(bytes)];
        return {
          way: 'data',
          flaws: all.every(Number.isSafeInteger) ? [] : ['a field of a data header is no number'],
        };
      }
      if (isRelayPacket(bytes))
        return { way: `relay ${relayChannel(bytes) >= 0 ? words.includes('[') : 'without channel'}` };
      return { way: `${kind ?? 'foreign'} ${packetFlags(bytes[0] ?? 0)} ${isStun(bytes)}` };
    },
  },
  varint: {
    about: 'variable-length integers',
    seeds: vectorBytes('wire', 'varints'),
    read: bytes => {
      const value = readVarint(bytes, 0);
      if (value < 0) return { way: 'malformed' };
      const length = varintLength(value);
      const again = new Uint8Array(length);
      writeVarint(again, 0, value);
      return {
        way: `${length}`,
        flaws: sameBytes(again, bytes.subarray(0, length)) ? [] : ['an integer has another encoding'],
      };
    },
  },
  frames: {
    about: 'frames of a decrypted packet',
    weight: 6,
    seeds: FRAMES,
    vary: (random, bytes) => changeFrames(random, bytes, FRAMES),
    read: bytes => {
      const decoded = readFrames(bytes);
      if (!decoded.ok) return { way: `malformed after 0x${(bytes[0] ?? 0).toString(16)}` };
      const frames = decoded.value;
      frames.forEach(describeFrame);
      const types = [...new Set(frames.map(({ type }) => type))].sort().slice(0, MOST_TYPES).join(' ');
      // Two types begin alike and one is a wide range: what they are is in the bytes, and comes back as it was.
      const again = bytes.length <= MOST_ENCODED && !frames.some(isEndless) ? encodeFrames(frames) : bytes;
      return { way: types, flaws: sameBytes(again, bytes) ? [] : [`frames ${types} have another encoding`] };
    },
  },
  socketAddress: {
    about: 'socket addresses in messages',
    seeds: [...vectorBytes('wire', 'addresses'), ...vectorBytes('wire', 'addressesRefused')],
    read: bytes => {
      const reader = new Reader(bytes);
      const address = readSocketAddress(reader);
      if (!address) return { way: 'malformed', flaws: reader.failed ? [] : ['no address, and no failure'] };
      const again = encodeWith(32, writer => {
        writeSocketAddress(writer, address);
      });
      const flaws = sameBytes(again, bytes.subarray(0, reader.position))
        ? []
        : ['an address has another encoding'];
      if (parseSocketAddress(address.key)?.key !== address.key) flaws.push(`${address.key} does not parse`);
      return { way: `${address.family} ${addressScope(address)}`, flaws };
    },
  },
  addressText: {
    about: 'socket addresses as text',
    seeds: texts('wire', 'addresses')
      .concat('[fe80::1%eth0]:1', '0x7f.1:80', '[::ffff:192.0.2.1]:1')
      .map(encodeText),
    read: bytes => {
      const text = decodeText(bytes);
      if (text === undefined) return { way: 'no text' };
      const address = parseSocketAddress(text);
      socketAddress(text, 1);
      if (!address) return { way: 'no address' };
      const again = parseSocketAddress(address.key);
      return {
        way: `${address.family}`,
        flaws: again?.key === address.key ? [] : [`${address.key} does not parse`],
      };
    },
  },
  stun: {
    about: 'STUN messages',
    seeds: [
      ...vectorBytes('wire', 'stun'),
      encodeStun({
        kind: 'success',
        transactionId: new Uint8Array(12).fill(7),
        address: { family: 4, host: '192.0.2.1', port: 80, key: '192.0.2.1:80' },
        software: 'a server',
      }),
      // Without a fingerprint, so that what is changed is looked at.
      concatBytes(
        Uint8Array.of(1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42),
        new Uint8Array(12).fill(7),
        Uint8Array.of(0, 0x20, 0, 8, 0, 1, 1, 2, 3, 4, 5, 6),
      ),
    ],
    read: bytes => {
      const message = decodeStun(bytes);
      if (!message) return { way: isStun(bytes) ? 'refused' : 'other' };
      return { way: `${message.kind} ${message.software !== undefined}` };
    },
  },
  utf8: {
    about: 'UTF-8',
    seeds: ['plain', 'Küche – 💡', '\u0000'].map(encodeText),
    read: bytes => readParsed(bytes, textOf, () => 'text', encodeText),
  },
};

function textOf(
  bytes: Uint8Array,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: 'malformed' } {
  const value = decodeText(bytes);
  return value === undefined ? { ok: false, reason: 'malformed' } : { ok: true, value };
}
