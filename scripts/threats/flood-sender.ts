/*
 * The attacker: message 1, fifty thousand a second, from many loopback addresses. Arguments: target port, public
 * key of the target in hexadecimal, whether mac1 is right. Ends when stdin does, with how many datagrams it sent in how long.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { fromHex } from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';

import { Mac1Key } from '../../packages/cluster-protocol/src/crypto/index.js';

const INITIATION = 1_000;
const MACS = 32;
/** Each socket has an address of its own where the system lets it: on Linux all of 127.0.0.0/8 is loopback. */
const SOCKETS = 32;
/** Datagrams a second: what the threat model asks for. */
const RATE = 50_000;
/** Datagrams in one turn; then the event loop may see that it is over. */
const BURST = 32;

const [port, key, mac] = process.argv.slice(2);
const mac1 = new Mac1Key(await createCryptoProvider(), fromHex(key!)!);
const sockets = await Promise.all(
  Array.from({ length: SOCKETS }, async (_, i) => {
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    const bound = once(socket, 'listening');
    socket.bind(0, process.platform === 'linux' ? `127.0.1.${i + 1}` : '127.0.0.1');
    await bound;
    return socket;
  }),
);
let [sent, over] = [0, false];
process.stdin.on('data', () => undefined).on('end', () => (over = true));
const packets = Array.from({ length: 256 }, (_, i) => {
  const packet = Buffer.alloc(INITIATION, i);
  packet.set([0xc0, 1, 0, 0], 0);
  packet.writeUInt32BE(i, 4);
  if (mac === 'good') packet.set(mac1.compute(packet.subarray(0, INITIATION - MACS)), INITIATION - MACS);
  return packet;
});
const start = performance.now();
while (!over) {
  const due = Math.min(sent + BURST, ((performance.now() - start) / 1_000) * RATE);
  while (sent < due)
    sockets[sent % SOCKETS]!.send(packets[sent++ % packets.length]!, Number(port), '127.0.0.1');
  await new Promise(setImmediate);
}
for (const socket of sockets) socket.close();
process.stdout.write(`${JSON.stringify({ sent, seconds: (performance.now() - start) / 1_000 })}\n`);
