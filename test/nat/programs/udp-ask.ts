// Sends a datagram to HOST PORT every 100 ms until an answer comes, says our own port and the answer, and ends.
import { createSocket } from 'node:dgram';

const [host, port] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.bind(() => {
  const ask = (): void => socket.send('hello', Number(port), host);
  const timer = setInterval(ask, 100);
  socket.once('message', answer => {
    clearInterval(timer);
    process.stdout.write(`${socket.address().port} ${answer.toString()}\n`);
    socket.close();
  });
  ask();
});
