import { type ByteStream, StreamConnection } from '../byte-stream.js';
import { carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { load } from '../peers/load.js';

/** What is used of `udx-native`. */
interface Udx {
  createSocket(): UdxSocket;
  createStream(id: number): UdxStream;
}
interface UdxSocket {
  bind(port: number, host: string): void;
  address(): { readonly port: number };
  on(event: 'message', listener: (bytes: Buffer, from: { readonly port: number }) => void): void;
  trySend(bytes: Uint8Array, port: number, host: string): void;
  close(): Promise<void>;
}
interface UdxStream {
  readonly bytesTransmitted: number;
  readonly bytesReceived: number;
  connect(socket: UdxSocket, remoteId: number, port: number, host: string): void;
}
/** What is used of `@hyperswarm/secret-stream`. */
type SecretStream = new (initiator: boolean, raw: UdxStream) => ByteStream;

interface Packages {
  readonly udx: Udx;
  readonly SecretStream: SecretStream;
}

/**
 * Noise XX and libsodium's secretstream over `udx-native`. UDX has no way to call: a datagram tells the server the number
 * of the stream just ahead of the stream itself.
 */
export const secretStream: Contestant = carried<{ readonly port: number }>({
  pours: true,
  sessions: true,
  listen: async accept => {
    const { udx, SecretStream } = await packages();
    const socket = udx.createSocket();
    socket.bind(0, LOOPBACK);
    socket.on('message', (bytes, { port }) => {
      const id = bytes.readUInt32BE(0);
      const raw = udx.createStream(id);
      raw.connect(socket, id, port, LOOPBACK);
      accept(new StreamConnection(new SecretStream(false, raw), () => bytesOf(raw)));
    });
    // Streams that are still there keep a socket from closing; the process ends anyway.
    return { invitation: { port: socket.address().port }, close: () => Promise.resolve() };
  },
  dial: async ({ port }) => {
    const { udx, SecretStream } = await packages();
    const socket = udx.createSocket();
    socket.bind(0, LOOPBACK);
    let streams = 0;
    return {
      connect: async () => {
        const id = ++streams;
        const raw = udx.createStream(id);
        const hello = Buffer.alloc(4);
        hello.writeUInt32BE(id);
        socket.trySend(hello, port, LOOPBACK);
        raw.connect(socket, id, port, LOOPBACK);
        return new StreamConnection(new SecretStream(true, raw), () => bytesOf(raw));
      },
      close: () => Promise.resolve(),
    };
  },
});

/** Bytes both ways over a UDX stream, as its packets carry them. */
export const bytesOf = ({
  bytesTransmitted,
  bytesReceived,
}: Pick<UdxStream, 'bytesTransmitted' | 'bytesReceived'>): number => bytesTransmitted + bytesReceived;

async function packages(): Promise<Packages> {
  const { default: Udx } = (await load('udx-native')) as { readonly default: new () => Udx };
  const { default: SecretStream } = (await load('@hyperswarm/secret-stream')) as {
    readonly default: SecretStream;
  };
  return { udx: new Udx(), SecretStream };
}
