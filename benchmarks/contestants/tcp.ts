import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { StreamConnection } from '../byte-stream.js';
import { carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';

/** The limit for bytes in bulk: `node:net` as it is, Nagle's algorithm off. No encryption. */
export const tcp: Contestant = carried<{ readonly port: number }>({
  pours: true,
  sessions: true,
  listen: async accept => {
    const server = createServer({ noDelay: true }, socket => {
      accept(new StreamConnection(socket, () => bytesOf(socket)));
    });
    const { port, close } = await listening(server);
    return { invitation: { port }, close };
  },
  dial: async ({ port }) => ({
    connect: async () => {
      const socket = connect({ host: LOOPBACK, port, noDelay: true });
      return new StreamConnection(socket, () => bytesOf(socket));
    },
    close: () => Promise.resolve(),
  }),
});

/** Bytes both ways over a TCP connection. */
export const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten;

/** Listens on loopback, and remembers who came so that all can be sent away. */
export async function listening(
  server: Server,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen({ host: LOOPBACK, port: 0, backlog: 511 });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
