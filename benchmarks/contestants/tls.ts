import { connect } from 'node:net';
import { connect as connectTls, createServer, createSecureContext } from 'node:tls';

import { StreamConnection } from '../byte-stream.js';
import { carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { type Identity, selfSigned } from '../self-signed.js';
import { bytesOf, listening } from './tcp.js';

interface Invitation {
  readonly port: number;
  readonly client: Identity;
  /** Certificate of the server, PEM. */
  readonly server: string;
}

/**
 * TLS 1.3 over TCP with certificates on both sides, as two members of a network have them. Writes of one turn of the
 * event loop share a record, and Nagle's algorithm is off: as good as it gets without changing the application.
 */
export const tls: Contestant = carried<Invitation>({
  pours: true,
  sessions: true,
  listen: async accept => {
    const own = selfSigned('server');
    const client = selfSigned('client');
    const server = createServer(
      {
        ...own,
        ca: [client.cert],
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        noDelay: true,
      },
      socket => {
        accept(new StreamConnection(socket, () => undefined));
      },
    );
    const { port, close } = await listening(server);
    return { invitation: { port, client, server: own.cert }, close };
  },
  dial: async ({ port, client, server }) => {
    const secureContext = createSecureContext({ ...client, ca: [server], minVersion: 'TLSv1.3' });
    return {
      connect: async () => {
        const raw = connect({ host: LOOPBACK, port, noDelay: true });
        const socket = connectTls({
          socket: raw,
          secureContext,
          // The certificate itself is what is trusted; it names no host.
          checkServerIdentity: () => undefined,
        });
        // The TCP connection below knows how many bytes went over it.
        return new StreamConnection(socket, () => bytesOf(raw));
      },
      close: () => Promise.resolve(),
    };
  },
});
