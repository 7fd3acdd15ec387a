import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { type Connection, carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';

/** As much as the sockets of the cluster protocol ask for, so that neither loses what the other keeps. */
const BUFFER_SIZE = 4 * 1_024 * 1_024;

/** The limit: `node:dgram` as it is, one datagram each way. No encryption, no repetition, no promise. */
export const dgram: Contestant = carried<{ readonly port: number }>({
  pours: false,
  sessions: false,
  listen: async accept => {
    const socket = await bind();
    const known = new Map<number, Remote>();
    socket.on('message', (bytes, { port }) => {
      let remote = known.get(port);
      if (!remote) {
        remote = new Remote(socket, port);
        known.set(port, remote);
        accept(remote);
      }
      remote.take(bytes);
    });
    return { invitation: { port: socket.address().port }, close: () => closeSocket(socket) };
  },
  dial: async ({ port }) => ({
    connect: async () => {
      const socket = await bind();
      const remote = new Remote(socket, port);
      socket.on('message', bytes => {
        remote.take(bytes);
      });
      return remote;
    },
    close: () => Promise.resolve(),
  }),
});

class Remote implements Connection {
  wireBytes = 0;
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  readonly #socket: Socket;
  readonly #port: number;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
  }

  take(bytes: Uint8Array): void {
    this.wireBytes += bytes.length;
    this.onMessage(bytes);
  }

  send(message: Uint8Array): void {
    this.wireBytes += message.length;
    this.#socket.send(message, this.#port, LOOPBACK);
  }

  close(): Promise<void> {
    return closeSocket(this.#socket);
  }
}

/** A UDP socket on loopback that asks no resolver for addresses. */
export async function bind(): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
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

/** Closes a socket and waits for it. */
export const closeSocket = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    socket.close(resolve);
  });
