// Answers every datagram on a UDP port with the address it came from; says `ready` when it listens.
import { createSocket } from 'node:dgram';

const [port = '9000'] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.on('message', (_bytes, { address, port: from }) => {
  socket.send(`${address}:${from}`, from, address);
});
socket.bind(Number(port), () => {
  process.stdout.write('ready\n');
});
