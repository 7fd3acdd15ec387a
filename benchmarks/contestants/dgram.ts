import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { answerTo, type Client, contestant, LOOPBACK, type Contestant } from '../contestant.js';

/** As much as the sockets of the cluster protocol ask for, so that neither loses what the other keeps. */
const BUFFER_SIZE = 4 * 1_024 * 1_024;

interface Invitation {
  readonly port: number;
}

/** The limit: `node:dgram` as it is, one datagram each way. No encryption, no repetition, no promise. */
export const dgram: Contestant = contestant<Invitation>(
  async () => {
    const socket = await bind();
    socket.on('message', (bytes, from) => {
      socket.send(answerTo(bytes), from.port, from.address);
    });
    return { invitation: { port: socket.address().port }, close: () => close(socket) };
  },
  async ({ port }) => new DgramClient(await bind(), port),
);

class DgramClient implements Client {
  wireBytes = 0;
  onAnswer: (answer: Uint8Array) => void = () => undefined;
  readonly #socket: Socket;
  readonly #port: number;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', bytes => {
      this.wireBytes += bytes.length;
      this.onAnswer(bytes);
    });
  }

  request(request: Uint8Array): void {
    this.wireBytes += request.length;
    this.#socket.send(request, this.#port, LOOPBACK);
  }

  close(): Promise<void> {
    return close(this.#socket);
  }
}

async function bind(): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    // Addresses only: nothing waits for a resolver.
    lookup: (address, _options, answer) => {
      answer(null, address, 4);
    },
  });
  const listening = once(socket, 'listening'); // Comes during the call, because the look-up does.
  socket.bind(0, LOOPBACK);
  await listening;
  socket.setRecvBufferSize(BUFFER_SIZE);
  socket.setSendBufferSize(BUFFER_SIZE);
  return socket;
}

const close = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    socket.close(resolve);
  });
