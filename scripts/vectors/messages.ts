/**
 * Computes the vectors of what nodes and their NMN say to each other in services 1 and 4:
 *
 *   npx tsx --conditions=coconet-source scripts/vectors/messages.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex, wallTime } from '../../packages/cluster-protocol/src/base/index.js';
import {
  encodeRendezvous,
  encodeSyncMessage,
  networkIdOf,
  type RendezvousMessage,
  signHead,
  signRecord,
  type SyncMessage,
} from '../../packages/cluster-protocol/src/network/index.js';
import { createCryptoProvider } from '../../packages/cluster-protocol/src/nodejs/crypto-provider.js';
import { parseSocketAddress, type SocketAddress } from '../../packages/cluster-protocol/src/wire/index.js';

const crypto = await createCryptoProvider();
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const address = (text: string): SocketAddress => {
  const found = parseSocketAddress(text);
  if (!found) throw new Error(`${text} is no address`);
  return found;
};
const BIRTH = wallTime(1_772_323_200_000);

const observed = [address('198.51.100.10:61234'), address('[2001:db8:1::10]:5000')];
const lease = { channel: 0x0a0b_0c0d, lifetime: 600, token: filled(16, 0x33) };
const handshake = filled(4, 0xc0);

const rendezvousMessages: readonly RendezvousMessage[] = [
  { kind: 'connect', peer: 17, handshake },
  { kind: 'connect', peer: 17, handshake: filled(0, 0) },
  { kind: 'renewLease', channel: lease.channel, token: lease.token },
  { kind: 'releaseLease', channel: lease.channel },
  { kind: 'punchRequest', peer: 17 },
  { kind: 'granted', peer: 17, ...lease, observed },
  { kind: 'refused', peer: 17, reason: 'away' },
  { kind: 'introduction', peer: 18, ...lease, observed: observed.slice(0, 1), handshake },
  { kind: 'punch', peer: 17, startIn: 85, observed },
  {
    kind: 'presence',
    complete: true,
    entries: [
      { nodeId: 17, online: true, lastSeen: BIRTH },
      { nodeId: 18, online: false, lastSeen: 0 },
    ],
  },
  { kind: 'observed', address: observed[0]! },
  { kind: 'shaped', channel: lease.channel, droppedBytes: 70_000, bytesPerSecond: 2_097_152 },
  { kind: 'renewed', ...lease },
  { kind: 'renewed', channel: lease.channel, lifetime: 0, token: filled(16, 0) },
];

const rendezvous = () => ({
  description:
    'docs/spec/04-path.md, section 8. Bytes are hexadecimal, handshakes shortened. All of "refused" are malformed.',
  messages: rendezvousMessages.map(message => ({ message, hex: encodeRendezvous(message) })),
  refused: [
    ['no bytes', ''],
    ['type 0', '0000000011'],
    ['an unknown type', '1800000011'],
    ['a byte too many', '040000001100'],
    ['an unknown reason', '110000001104'],
    ['five observed addresses', `13000000110005${'04c633640aef32'.repeat(5)}`],
    ['neither present nor away', `1400010000001102${'00'.repeat(6)}`],
    ['a token cut off', '020a0b0c0d3333'],
  ].map(([why, hex]) => ({ why, hex })),
});

function synchronisation() {
  const root = crypto.signingKeyPair(filled(32, 0x01));
  const authority = crypto.signingKeyPair(filled(32, 0x10));
  const network = networkIdOf(crypto, root.publicKey);
  const digests = { security: filled(16, 0x5e), directory: filled(16, 0xd1) };
  const order = { authorityNumber: 1, version: 14 };
  const head = signHead(crypto, authority, {
    network,
    order,
    issuedAt: BIRTH,
    nextUpdateBy: wallTime(BIRTH + 604_800_000),
    digests,
  });
  const content = { kind: 'secretEpoch', epoch: 2 } as const;
  const record = signRecord(crypto, authority, { network, order, issuedAt: BIRTH, content });
  const messages: readonly SyncMessage[] = [
    { type: 'heads', settled: false, head: undefined, digests },
    { type: 'heads', settled: false, head: undefined, digests, time: wallTime(BIRTH + 3_600_000) },
    { type: 'heads', settled: false, head, digests, time: wallTime(BIRTH + 3_600_000) },
    { type: 'heads', settled: true, head, digests },
    { type: 'records', records: [] },
    { type: 'records', records: [record] },
  ];
  return {
    description:
      'docs/spec/05-network.md, section 6. Bytes are hexadecimal; times are milliseconds. All of "refused" are malformed.',
    messages: messages.map(message => ({ message, hex: encodeSyncMessage(message) })),
    refused: [
      ['no bytes', ''],
      ['an unknown type', `0300${'5e'.repeat(16)}${'d1'.repeat(16)}`],
      ['an unknown flag', `0108${'5e'.repeat(16)}${'d1'.repeat(16)}`],
      ['no time although the flag is set', `0104${'5e'.repeat(16)}${'d1'.repeat(15)}`],
      ['a byte too many', `0100${'5e'.repeat(16)}${'d1'.repeat(17)}`],
      ['a record cut off', '02010a00'],
    ].map(([why, hex]) => ({ why, hex })),
  };
}

/** As JSON: bytes in hexadecimal, addresses as text. */
const meaning = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, part: unknown) =>
      part instanceof Uint8Array
        ? toHex(part)
        : typeof part === 'object' && part !== null && 'host' in part && 'key' in part
          ? part.key
          : part,
    ),
  );

/** All vectors by file name, made by today's code. */
export const messageVectors = (): Record<string, unknown> => ({
  rendezvous: meaning(rendezvous()),
  synchronisation: meaning(synchronisation()),
});

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, vectors] of Object.entries(messageVectors()))
    writeFileSync(
      new URL(`../../test-vectors/${name}.json`, import.meta.url),
      `${JSON.stringify(vectors, undefined, 2)}\n`,
    );
