import { type ByteStream, StreamConnection } from '../byte-stream.js';
import { carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { load } from '../peers/load.js';
import { bytesOf } from './secret-stream.js';

/** Nodes of the table that callers ask for the server. */
const TABLE = 3;

interface Address {
  readonly host: string;
  readonly port: number;
}
type DhtStream = ByteStream & {
  once(event: 'open', listener: () => void): unknown;
  readonly rawStream: { readonly bytesTransmitted: number; readonly bytesReceived: number } | null;
};
/** What is used of a node of `hyperdht`. */
interface Dht {
  createServer(): {
    readonly publicKey: Uint8Array;
    on(event: 'connection', listener: (stream: DhtStream) => void): void;
    listen(): Promise<void>;
  };
  connect(publicKey: Uint8Array): DhtStream;
  destroy(options: { readonly force: boolean }): Promise<void>;
}
interface Testnet {
  readonly bootstrap: readonly Address[];
  createNode(options: object): Dht;
  destroy(): Promise<void>;
}

interface Invitation {
  readonly publicKey: Uint8Array;
  readonly bootstrap: readonly Address[];
}

/** Sessions by public key: every set-up asks a table for the server. The table is in the server's process, on loopback. */
export const hyperdht: Contestant = carried<Invitation>({
  pours: true,
  sessions: true,
  listen: async accept => {
    const { default: createTestnet } = (await load('hyperdht/testnet.js')) as {
      readonly default: (size: number, options: { readonly host: string }) => Promise<Testnet>;
    };
    // Nobody is behind a firewall here, and told so: no hole is punched, the streams are direct.
    const testnet = await createTestnet(TABLE, { host: LOOPBACK });
    const server = testnet.createNode({ host: LOOPBACK, firewalled: false }).createServer();
    server.on('connection', stream => {
      accept(connectionOf(stream));
    });
    await server.listen();
    return {
      invitation: { publicKey: Uint8Array.from(server.publicKey), bootstrap: testnet.bootstrap },
      close: () => testnet.destroy(),
    };
  },
  dial: async ({ publicKey, bootstrap }) => {
    const { default: Dht } = (await load('hyperdht')) as {
      readonly default: new (options: object) => Dht;
    };
    const node = new Dht({ bootstrap, host: LOOPBACK, firewalled: false });
    return {
      connect: async () => {
        const stream = node.connect(Buffer.from(publicKey));
        await new Promise<void>((resolve, reject) => {
          stream.once('open', resolve);
          stream.on('error', reject);
        });
        return connectionOf(stream);
      },
      close: () => node.destroy({ force: true }),
    };
  },
});

const connectionOf = (stream: DhtStream): StreamConnection =>
  new StreamConnection(stream, () => (stream.rawStream ? bytesOf(stream.rawStream) : undefined));
