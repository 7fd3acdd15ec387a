import type { Socket } from 'node:net';

import { type Connection, carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { load } from '../peers/load.js';

/** Bytes of one message where as much as possible is poured. */
const CHUNK = 65_536;
/** Bytes that may wait in the socket. */
const HIGH_WATER = 4 * CHUNK;

/** What is used of a WebSocket of `ws`. */
interface WebSocket {
  readonly bufferedAmount: number;
  on(event: 'message', listener: (message: Buffer) => void): this;
  once(event: 'open' | 'close', listener: () => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  send(message: Uint8Array, sent?: () => void): void;
  terminate(): void;
}

/** What is used of the package `ws`. */
interface WsPackage {
  readonly WebSocket: new (url: string, options: { readonly perMessageDeflate: boolean }) => WebSocket;
  readonly WebSocketServer: new (options: {
    readonly host: string;
    readonly port: number;
    readonly perMessageDeflate: boolean;
  }) => {
    address(): { readonly port: number };
    on(event: 'connection', listener: (socket: WebSocket) => void): void;
    once(event: 'listening', listener: () => void): void;
    close(done: () => void): void;
    readonly clients: ReadonlySet<WebSocket>;
  };
}

/** WebSockets over TCP, without TLS and without compression. */
export const ws: Contestant = carried<{ readonly port: number }>({
  pours: true,
  sessions: true,
  listen: async accept => {
    const { WebSocketServer } = (await load('ws')) as WsPackage;
    const server = new WebSocketServer({ host: LOOPBACK, port: 0, perMessageDeflate: false });
    server.on('connection', socket => {
      accept(new WsConnection(socket));
    });
    await new Promise<void>(resolve => {
      server.once('listening', resolve);
    });
    return {
      invitation: { port: server.address().port },
      close: () =>
        new Promise(resolve => {
          server.close(resolve);
          for (const client of server.clients) client.terminate();
        }),
    };
  },
  dial: async ({ port }) => {
    const { WebSocket } = (await load('ws')) as WsPackage;
    return {
      connect: async () => {
        const socket = new WebSocket(`ws://${LOOPBACK}:${port}`, { perMessageDeflate: false });
        const connection = new WsConnection(socket);
        await new Promise<void>((resolve, reject) => {
          socket.once('open', resolve);
          socket.on('error', reject);
        });
        return connection;
      },
      close: () => Promise.resolve(),
    };
  },
});

class WsConnection implements Connection {
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', message => {
      this.onMessage(message);
    });
  }

  get wireBytes(): number | undefined {
    const { _socket: raw } = this.#socket as WebSocket & { readonly _socket?: Socket };
    return raw && raw.bytesRead + raw.bytesWritten;
  }

  send(message: Uint8Array): void {
    this.#socket.send(message);
  }

  async pour(bytes: number): Promise<void> {
    const chunk = new Uint8Array(CHUNK);
    for (let left = bytes; left > 0; left -= CHUNK) {
      const part = left < CHUNK ? chunk.subarray(0, left) : chunk;
      if (this.#socket.bufferedAmount < HIGH_WATER) this.#socket.send(part);
      else
        await new Promise<void>(resolve => {
          this.#socket.send(part, resolve);
        });
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#socket.once('close', resolve);
    });
    this.#socket.terminate();
    await closed;
  }
}
