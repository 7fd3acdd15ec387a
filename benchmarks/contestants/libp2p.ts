import { type Connection, carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { Deferred } from '../deferred.js';
import { Pieces } from '../pieces.js';
import { load } from '../peers/load.js';

const PROTOCOL = '/coconet-benchmark/1';
/** Bytes of one write where as much as possible is poured. */
const CHUNK = 65_536;
/** As many as the crowd has: its own limit is 300. */
const MANY = 10_000;

/** What is used of a stream of `libp2p`. */
interface Stream {
  send(bytes: Uint8Array): boolean;
  addEventListener(
    event: 'message',
    listener: (event: { readonly data: { subarray(): Uint8Array } }) => void,
  ): void;
  addEventListener(event: 'drain', listener: () => void, options: { readonly once: boolean }): void;
}
interface LibConnection {
  newStream(protocol: string): Promise<Stream>;
  close(): Promise<void>;
}
interface Node {
  getMultiaddrs(): readonly { toString(): string }[];
  handle(protocol: string, handler: (stream: Stream) => void, options: object): Promise<void>;
  dial(address: unknown, options: object): Promise<LibConnection>;
  stop(): Promise<void>;
}

/** Noise and yamux over TCP. Every session is a connection of its own with one stream; the bytes of the wire it does not tell. */
export const libp2p: Contestant = carried<{ readonly address: string }>({
  pours: true,
  sessions: true,
  listen: async accept => {
    const node = await createNode([`/ip4/${LOOPBACK}/tcp/0`]);
    await node.handle(
      PROTOCOL,
      stream => {
        accept(new LibStream(stream, () => Promise.resolve()));
      },
      { maxInboundStreams: MANY },
    );
    return { invitation: { address: String(node.getMultiaddrs()[0]) }, close: () => node.stop() };
  },
  dial: async ({ address }) => {
    const node = await createNode([]);
    const { multiaddr } = (await load('@multiformats/multiaddr')) as {
      readonly multiaddr: (text: string) => unknown;
    };
    return {
      connect: async () => {
        const connection = await node.dial(multiaddr(address), { force: true });
        return new LibStream(await connection.newStream(PROTOCOL), () => connection.close());
      },
      close: () => node.stop(),
    };
  },
});

class LibStream extends Pieces implements Connection {
  readonly wireBytes = undefined;
  readonly close: () => Promise<void>;
  readonly #stream: Stream;

  constructor(stream: Stream, close: () => Promise<void>) {
    super();
    this.#stream = stream;
    this.close = close;
    stream.addEventListener('message', ({ data }) => {
      this.take(data.subarray());
    });
  }

  send(message: Uint8Array): void {
    this.#stream.send(message);
  }

  async pour(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; left -= CHUNK) {
      // It keeps what it is given until that is sent.
      if (this.#stream.send(new Uint8Array(Math.min(left, CHUNK)))) continue;
      const drained = new Deferred<undefined>();
      this.#stream.addEventListener('drain', () => drained.resolve(undefined), { once: true });
      await drained.promise;
    }
  }
}

async function createNode(listen: readonly string[]): Promise<Node> {
  // It takes this for granted; Node has it since 22.
  (Promise as unknown as { withResolvers?: unknown }).withResolvers ??= () => new Deferred();
  const { createLibp2p } = (await load('libp2p')) as {
    readonly createLibp2p: (options: object) => Promise<Node>;
  };
  const { tcp } = (await load('@libp2p/tcp')) as { readonly tcp: (options: object) => unknown };
  const { noise } = (await load('@chainsafe/libp2p-noise')) as { readonly noise: () => unknown };
  const { yamux } = (await load('@chainsafe/libp2p-yamux')) as { readonly yamux: () => unknown };
  return createLibp2p({
    addresses: { listen },
    transports: [tcp({ backlog: MANY })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      maxConnections: MANY,
      inboundConnectionThreshold: MANY,
      maxIncomingPendingConnections: MANY,
    },
  });
}
