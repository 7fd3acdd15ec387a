import type { Socket } from 'node:dgram';

import { type Connection, carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { load } from '../peers/load.js';
import { requestOf, Wish } from '../request.js';
import { bind, closeSocket } from './dgram.js';

/** A value that a receiver observes. */
const VALUES = '/values';

interface Incoming {
  readonly url: string;
  readonly payload: Buffer;
  readonly rsinfo: { readonly port: number };
  on(event: 'data', listener: (payload: Buffer) => void): void;
}
interface Outgoing {
  write(payload: Uint8Array): void;
  end(payload?: Uint8Array): void;
  on(event: 'response', listener: (response: Incoming) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}
/** What is used of `coap`. */
interface CoapPackage {
  readonly createServer: (listener: (request: Incoming, response: Outgoing) => void) => {
    listen(socket: Socket, done: () => void): void;
    close(done: () => void): void;
  };
  request(options: object): Outgoing;
  readonly Agent: new (options: { readonly type: 'udp4'; readonly socket: Socket }) => object;
}

/** CoAP over UDP, confirmable requests with the answer in the acknowledgement; receivers observe. Not encrypted. */
export const coap: Contestant = carried<{ readonly port: number }>({
  pours: false,
  sessions: true,
  listen: async accept => {
    const { createServer } = await coapPackage();
    const server = createServer((request, response) => {
      const observed = request.url === VALUES;
      const answers = new Answers(response, observed);
      accept(answers);
      answers.onMessage(observed ? requestOf(0, Wish.enlist) : request.payload);
    });
    const socket = await bind();
    await new Promise<void>(resolve => {
      server.listen(socket, resolve);
    });
    return { invitation: { port: socket.address().port }, close: () => closeSocket(socket) };
  },
  dial: async ({ port }) => {
    const library = await coapPackage();
    return {
      connect: async () => new CoapConnection(library, await bind(), port),
      close: () => Promise.resolve(),
    };
  },
});

/** What answers one request, or tells one observer again and again. */
class Answers implements Connection {
  readonly wireBytes = undefined;
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  readonly #response: Outgoing;
  readonly #observed: boolean;

  constructor(response: Outgoing, observed: boolean) {
    this.#response = response;
    this.#observed = observed;
    response.on('error', () => undefined);
  }

  send(message: Uint8Array): void {
    if (this.#observed) this.#response.write(message);
    else this.#response.end(message);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class CoapConnection implements Connection {
  wireBytes = 0;
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  readonly #library: CoapPackage;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #agent: object;

  constructor(library: CoapPackage, socket: Socket, port: number) {
    this.#library = library;
    this.#socket = socket;
    this.#port = port;
    socket.on('message', bytes => {
      this.wireBytes += bytes.length;
    });
    const send = socket.send.bind(socket) as (...args: unknown[]) => void;
    // The agent sends (bytes, offset, length, …): what it sends is counted on its way.
    Object.assign(socket, {
      send: (...args: unknown[]): void => {
        this.wireBytes += Number(args[2]);
        send(...args);
      },
    });
    this.#agent = new library.Agent({ type: 'udp4', socket });
  }

  send(message: Uint8Array): void {
    const request = this.#ask({ method: 'POST', pathname: '/' });
    request.on('response', response => {
      this.onMessage(response.payload);
    });
    request.end(message);
  }

  async enlist(): Promise<void> {
    const request = this.#ask({ method: 'GET', pathname: VALUES, observe: true });
    await new Promise<void>(resolve => {
      request.on('response', response => {
        let first = true;
        response.on('data', value => {
          // The answer to the wish comes the same way.
          if (!first) this.onMessage(value);
          first = false;
          resolve();
        });
      });
      request.end();
    });
  }

  close(): Promise<void> {
    return closeSocket(this.#socket);
  }

  #ask(options: object): Outgoing {
    const request = this.#library.request({
      host: LOOPBACK,
      port: this.#port,
      confirmable: true,
      agent: this.#agent,
      ...options,
    });
    request.on('error', () => undefined);
    return request;
  }
}

async function coapPackage(): Promise<CoapPackage> {
  return (await load('coap')) as CoapPackage;
}
