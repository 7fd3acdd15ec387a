import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import {
  connect as connectTls,
  createServer,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';

import {
  ANSWER_LENGTH,
  answerTo,
  type Client,
  contestant,
  LOOPBACK,
  REQUEST_LENGTH,
  type Contestant,
} from '../contestant.js';
import { type Identity, selfSigned } from '../self-signed.js';

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
export const tls: Contestant = contestant<Invitation>(
  async () => {
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
        const write = gathered(socket);
        inPieces(socket, REQUEST_LENGTH, request => {
          write(answerTo(request));
        });
      },
    );
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
      invitation: { port, client, server: own.cert },
      close: async () => {
        const closed = once(server, 'close');
        server.close();
        for (const socket of sockets) socket.destroy();
        await closed;
      },
    };
  },
  async invitation => {
    const context = createSecureContext({
      ...invitation.client,
      ca: [invitation.server],
      minVersion: 'TLSv1.3',
    });
    const { raw, socket } = call(invitation.port, context);
    await once(socket, 'secureConnect');
    return new TlsClient(raw, socket, () => call(invitation.port, context));
  },
);

interface Call {
  /** The TCP connection below, which knows how many bytes went over it. */
  readonly raw: Socket;
  readonly socket: TLSSocket;
}

class TlsClient implements Client {
  onAnswer: (answer: Uint8Array) => void = () => undefined;
  readonly #raw: Socket;
  readonly #socket: TLSSocket;
  readonly #call: () => Call;
  readonly #write: (bytes: Uint8Array) => void;
  #others: TLSSocket[] = [];

  constructor(raw: Socket, socket: TLSSocket, callAgain: () => Call) {
    this.#raw = raw;
    this.#socket = socket;
    this.#call = callAgain;
    this.#write = gathered(socket);
    inPieces(socket, ANSWER_LENGTH, answer => {
      this.onAnswer(answer);
    });
  }

  get wireBytes(): number {
    return this.#raw.bytesRead + this.#raw.bytesWritten;
  }

  request(request: Uint8Array): void {
    this.#write(request);
  }

  setUp(request: Uint8Array): Promise<number> {
    const start = performance.now();
    const { socket } = this.#call();
    this.#others.push(socket);
    // Waits inside for the end of the handshake.
    socket.write(request);
    return new Promise<number>((resolve, reject) => {
      socket.once('error', reject);
      inPieces(socket, ANSWER_LENGTH, () => {
        resolve(performance.now() - start);
      });
    });
  }

  async takeDown(): Promise<void> {
    await Promise.all(this.#others.map(hangUp));
    this.#others = [];
  }

  close(): Promise<void> {
    return hangUp(this.#socket);
  }
}

function call(port: number, secureContext: SecureContext): Call {
  const raw = connect({ host: LOOPBACK, port, noDelay: true });
  const socket = connectTls({
    socket: raw,
    secureContext,
    // The certificate itself is what is trusted; it names no host.
    checkServerIdentity: () => undefined,
  });
  return { raw, socket };
}

async function hangUp(socket: TLSSocket): Promise<void> {
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
}

/** Writes that come in the same turn of the event loop go out together. */
function gathered(socket: TLSSocket): (bytes: Uint8Array) => void {
  let corked = false;
  return bytes => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
  };
}

/** Cuts a byte stream into pieces of one length. */
function inPieces(socket: TLSSocket, length: number, take: (piece: Uint8Array) => void): void {
  let rest: Uint8Array = new Uint8Array(0);
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (; at + length <= bytes.length; at += length) take(bytes.subarray(at, at + length));
    rest = bytes.subarray(at);
  });
}
