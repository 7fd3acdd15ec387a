import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';
import {
  firstByte,
  PACKET_KINDS,
  packetKind,
  writeDataHeader,
  writeUint32,
} from '@coconet/cluster-protocol/wire';
import { SeededRandom } from '@coconet/cluster-protocol/testing';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The port of an NMN. */
const PORT = 28_620;
/** A port that says nothing. */
const ANY = 40_000;
/** The link type of captures that begin with the IP header (libpcap's LINKTYPE_RAW). */
const RAW_IP = 101;

/** What the dissector makes of one packet: its fields by name, and those of the packet inside of a relay packet. */
type Fields = Readonly<Record<string, string>> & { readonly coconet?: Fields };

interface Packet {
  readonly bytes: Uint8Array;
  readonly port?: number;
}

interface Named {
  readonly packet: string;
}

interface HandshakeVectors {
  readonly initiation: Named & {
    readonly senderIndex: number;
    readonly nonce: string;
    readonly mac1: string;
  };
  readonly initiationWithCookie: Named & { readonly mac2: string };
  readonly cookie: Named & { readonly nonce: string };
  readonly retry: Named & { readonly nonce: string; readonly mac: string };
  readonly initiationAgain: Named & {
    readonly senderIndex: number;
    readonly nonce: string;
    readonly mac1: string;
  };
  readonly response: Named & {
    readonly senderIndex: number;
    readonly receiverIndex: number;
    readonly mac1: string;
  };
  readonly firstData: Named & { readonly number: number };
  readonly rekey: { readonly firstData: Named & { readonly number: number; readonly keyPhase: number } };
  readonly reset: Named & { readonly receiverIndex: number; readonly token: string };
  readonly refusal: Named & { readonly nonce: string };
  readonly versionRefusal: Named;
}

interface WireVectors {
  readonly packets: {
    readonly packets: readonly (Named & { readonly number: number; readonly receiverIndex: number })[];
  };
  readonly relay: { readonly channel: number; readonly hex: string };
  readonly stun: { readonly request: { readonly hex: string }; readonly success: { readonly hex: string } };
  readonly firstBytes: Readonly<Record<string, string>>;
}

const vectorsOf = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(root, 'test-vectors', `${name}.json`), 'utf8'));

const handshake = (await vectorsOf('handshake')) as HandshakeVectors;
const wire = (await vectorsOf('wire')) as WireVectors;

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** A capture of UDP datagrams from one host to another. */
function capture(packets: readonly Packet[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(RAW_IP, 20);
  const records = packets.flatMap(({ bytes, port = PORT }, i) => {
    const record = Buffer.alloc(16 + 28);
    record.writeUInt32LE(i, 0);
    record.writeUInt32LE(28 + bytes.length, 8);
    record.writeUInt32LE(28 + bytes.length, 12);
    const ip = record.subarray(16);
    ip[0] = 0x45;
    ip.writeUInt16BE(28 + bytes.length, 2);
    ip[8] = 64;
    ip[9] = 17;
    // Another host for each: nothing is known of it from the packet before.
    ip.set([192, 0, 2, 1 + (i % 250)], 12);
    ip.set([198, 51, 100, 1], 16);
    ip.writeUInt16BE(ANY + 1, 20);
    ip.writeUInt16BE(port, 22);
    ip.writeUInt16BE(8 + bytes.length, 24);
    return [record, bytes];
  });
  return Buffer.concat([head, ...records]);
}

/** What tshark says of packets: options choose in which form. */
async function tshark(packets: readonly Packet[], options: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-wireshark-'));
  try {
    const file = join(folder, 'packets.pcap');
    await writeFile(file, capture(packets));
    const args = ['-X', `lua_script:${join(root, 'tools/wireshark/coconet.lua')}`, '-r', file, ...options];
    // Without a home folder of its own it would read whatever this user has configured.
    const { stdout } = await run('tshark', args, {
      env: { ...process.env, HOME: folder, WIRESHARK_CONFIG_DIR: folder },
      maxBuffer: 512 * 1_024 * 1_024,
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The layers of each packet. */
async function dissected(packets: readonly Packet[], ...options: string[]): Promise<readonly Fields[]> {
  const text = await tshark(packets, ['-T', 'json', '--no-duplicate-keys', ...options]);
  const list = JSON.parse(text) as readonly { readonly _source: { readonly layers: Fields } }[];
  return list.map(({ _source }) => _source.layers);
}

const hex32 = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
const colons = (hex: string): string => hex.match(/../g)!.join(':');

const withRelay = (channel: number, packet: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(5 + packet.length);
  bytes[0] = firstByte('relay');
  writeUint32(bytes, 1, channel);
  bytes.set(packet, 5);
  return bytes;
};

test('the packets of a session are shown with the fields that the vectors give', async t => {
  const { initiation, initiationWithCookie, cookie, retry, initiationAgain, response } = handshake;
  const { firstData, rekey, reset, refusal, versionRefusal } = handshake;
  const list = [
    initiation,
    initiationWithCookie,
    cookie,
    retry,
    initiationAgain,
    response,
    firstData,
    rekey.firstData,
    reset,
    refusal,
    versionRefusal,
  ];

  const layers = await dissected(list.map(({ packet }) => ({ bytes: bytesOf(packet) })));

  const seen = layers.map(({ coconet }) => coconet!);
  t.deepEqual(
    seen.map(fields => PACKET_KINDS[Number(fields['coconet.kind'])]),
    list.map(({ packet }) => packetKind(bytesOf(packet)[0]!)),
  );
  t.true(seen.every(fields => !JSON.stringify(fields).includes('_ws.expert')));
  const session = `${hex32(response.receiverIndex).slice(2)}-${hex32(response.senderIndex).slice(2)}`;
  const expected: readonly Readonly<Record<string, string>>[] = [
    {
      'coconet.version': '1',
      'coconet.sender_index': hex32(initiation.senderIndex),
      'coconet.nonce': colons(initiation.nonce),
      'coconet.mac1': colons(initiation.mac1),
      'coconet.mac2': colons('00'.repeat(16)),
    },
    { 'coconet.mac2': colons(initiationWithCookie.mac2) },
    { 'coconet.receiver_index': hex32(initiation.senderIndex), 'coconet.nonce': colons(cookie.nonce) },
    {
      'coconet.receiver_index': hex32(initiation.senderIndex),
      'coconet.nonce': colons(retry.nonce),
      'coconet.mac': colons(retry.mac),
    },
    {
      'coconet.sender_index': hex32(initiationAgain.senderIndex),
      'coconet.nonce': colons(initiationAgain.nonce),
      'coconet.mac1': colons(initiationAgain.mac1),
    },
    {
      'coconet.sender_index': hex32(response.senderIndex),
      'coconet.receiver_index': hex32(response.receiverIndex),
      'coconet.mac1': colons(response.mac1),
      'coconet.session': session,
    },
    {
      'coconet.receiver_index': hex32(response.senderIndex),
      'coconet.packet_number': String(firstData.number),
      'coconet.key_phase': '0',
      'coconet.session': session,
      'coconet.tag': colons(firstData.packet.slice(-32)),
    },
    {
      'coconet.packet_number': String(rekey.firstData.number),
      'coconet.key_phase': String(rekey.firstData.keyPhase),
      'coconet.session': session,
    },
    {
      'coconet.receiver_index': hex32(reset.receiverIndex),
      'coconet.token': colons(reset.token),
      'coconet.session': session,
    },
    { 'coconet.receiver_index': hex32(initiation.senderIndex), 'coconet.nonce': colons(refusal.nonce) },
    {
      'coconet.highest_version': '1',
      'coconet.lowest_version': '1',
      'coconet.receiver_index': hex32(initiation.senderIndex),
    },
  ];
  for (const [i, fields] of expected.entries()) t.like(seen[i], fields);
});

test('data packets are shown with receiver index and packet number', async t => {
  const { packets } = wire.packets;

  const layers = await dissected(packets.map(({ packet }) => ({ bytes: bytesOf(packet) })));

  t.deepEqual(
    layers.map(({ coconet }) => [coconet!['coconet.receiver_index'], coconet!['coconet.packet_number']]),
    packets.map(({ receiverIndex, number }) => [hex32(receiverIndex), String(number % 2 ** 32)]),
  );
});

test('a relay packet is shown with its channel and the packet inside', async t => {
  const { channel, hex } = wire.relay;
  const inside = bytesOf(handshake.response.packet);

  const [layers] = await dissected([{ bytes: withRelay(channel, inside) }]);

  t.is(hex, Buffer.from(withRelay(channel, inside).subarray(0, 5)).toString('hex'));
  t.like(layers!.coconet, { 'coconet.kind': '7', 'coconet.channel': hex32(channel) });
  t.like(layers!.coconet!.coconet, {
    'coconet.kind': '1',
    'coconet.sender_index': hex32(handshake.response.senderIndex),
  });
});

test('on another port handshakes are known by their looks, data packets too unless that is turned off', async t => {
  const { initiation, response, retry, cookie, refusal, versionRefusal, firstData } = handshake;
  const inside = bytesOf(initiation.packet);
  const list = [initiation, response, retry, cookie, refusal, versionRefusal]
    .map(({ packet }) => bytesOf(packet))
    .concat([withRelay(7, inside)]);
  const data = bytesOf(firstData.packet);
  const packets = [...list, data].map(bytes => ({ bytes, port: ANY }));

  const layers = await dissected(packets);
  const strict = await dissected(packets, '-o', 'coconet.guess_data:FALSE');

  t.true(layers.every(({ coconet }) => coconet !== undefined));
  t.deepEqual(
    strict.map(({ coconet }) => coconet !== undefined),
    [...list.map(() => true), false],
  );
});

test('STUN on our port stays STUN, and QUIC on another is not taken for ours', async t => {
  const quic = new Uint8Array(1_200);
  quic.set([0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x9e]);

  const layers = await dissected([
    { bytes: bytesOf(wire.stun.request.hex) },
    { bytes: bytesOf(wire.stun.success.hex) },
    { bytes: quic, port: 443 },
    { bytes: quic, port: ANY },
  ]);

  t.deepEqual(
    layers.map(({ stun, coconet }) => [stun !== undefined, coconet !== undefined]),
    [
      [true, false],
      [true, false],
      [false, false],
      [false, false],
    ],
  );
});

test('the port of the NMN can be set', async t => {
  const packet = new Uint8Array(40);
  writeDataHeader(packet, 0, 0x0a0b0c0d, 5);

  const options = ['-o', 'coconet.guess_data:FALSE', '-o', `coconet.port:${ANY}`];
  const [layers] = await dissected([{ bytes: packet, port: ANY }], ...options);

  t.like(layers!.coconet, { 'coconet.receiver_index': '0x0a0b0c0d', 'coconet.packet_number': '5' });
});

test('whatever comes, the dissector raises no error, and marks what has a wrong length', async t => {
  const random = new SeededRandom(1).fork('packets');
  const whole = Object.values(handshake).flatMap((vector: unknown) =>
    typeof vector === 'object' && vector !== null && 'packet' in vector
      ? [bytesOf(String(vector.packet))]
      : [],
  );
  whole.push(...whole.map((packet, i) => withRelay(i, packet)));
  const packets: Packet[] = [];
  for (const first of Object.values(wire.firstBytes))
    for (let length = 1; length <= 80; length++) {
      const bytes = new Uint8Array(length).fill(length);
      bytes[0] = Number.parseInt(first, 16);
      packets.push({ bytes });
    }
  for (const packet of whole)
    for (let cut = 1; cut < packet.length; cut += 1 + random.below(packet.length / 40))
      packets.push({ bytes: packet.slice(0, cut), port: random.below(2) === 0 ? PORT : ANY });
  for (let i = 0; i < 2_000; i++) {
    const bytes = whole[random.below(whole.length)]!.slice();
    for (let turns = random.below(8); turns >= 0; turns--)
      bytes[random.below(i % 2 === 0 ? 12 : bytes.length)] = random.below(256);
    packets.push({ bytes, port: random.below(2) === 0 ? PORT : ANY });
  }
  for (let first = 0; first < 256; first++) {
    packets.push({ bytes: Uint8Array.of(first) });
    packets.push({ bytes: Uint8Array.of(0xdc, 0, 0, 0, 1, first) });
    packets.push({ bytes: withRelay(1, withRelay(2, Uint8Array.of(first, first))) });
  }

  const text = await tshark(packets, ['-V', '-O', 'coconet']);

  t.is(text.match(/^Frame \d+/gm)?.length, packets.length);
  t.notRegex(text, /Lua Error|lua.*error|exception/i);
  t.regex(text, /A packet of this kind has another length/);
  t.regex(text, /A relay packet inside of a relay packet/);
});
