import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { type Connection, carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { load } from '../peers/load.js';

const REQUESTS = 'requests';
const VALUES = 'values';
/** Says where it listens, once it does. */
const LISTENING = /Listening for client connections on [\d.]+:(\d+)/;

interface Message {
  readonly data: Uint8Array;
  readonly reply?: string;
}
/** What is used of a client of `@nats-io/transport-node`. */
interface NatsClient {
  subscribe(subject: string, options: { callback: (error: Error | null, message: Message) => void }): void;
  publish(subject: string, data: Uint8Array, options?: { readonly reply: string }): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Debian's `nats-server` beside a client that answers, on the server's core. No acknowledgement, not encrypted. */
export const nats: Contestant = carried<{ readonly port: number }>({
  pours: false,
  sessions: true,
  listen: async accept => {
    const { server, port } = await startServer();
    const client = await connect(port);
    const known = new Map<string, Connection>();
    client.subscribe(REQUESTS, {
      callback: (_error, { reply = '', data }) => {
        let answers = known.get(reply);
        if (!answers) {
          answers = new NatsConnection(client, reply, '');
          known.set(reply, answers);
          accept(answers);
        }
        answers.onMessage(data);
      },
    });
    await client.flush();
    return {
      invitation: { port },
      memory: () => residentOf(server),
      close: async () => {
        await client.close();
        server.kill();
      },
    };
  },
  dial: async ({ port }) => {
    let clients = 0;
    return {
      connect: async () => {
        const client = await connect(port);
        const inbox = `answers.${process.pid}.${++clients}`;
        const connection = new NatsConnection(client, REQUESTS, inbox);
        const callback = (_error: Error | null, { data }: Message): void => {
          connection.onMessage(data);
        };
        client.subscribe(inbox, { callback });
        return connection;
      },
      close: () => Promise.resolve(),
    };
  },
});

class NatsConnection implements Connection {
  readonly wireBytes = undefined;
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  readonly #client: NatsClient;
  readonly #subject: string;
  readonly #inbox: string;

  constructor(client: NatsClient, subject: string, inbox: string) {
    this.#client = client;
    this.#subject = subject;
    this.#inbox = inbox;
  }

  send(message: Uint8Array): void {
    if (this.#inbox === '') this.#client.publish(this.#subject, message);
    else this.#client.publish(this.#subject, message, { reply: this.#inbox });
  }

  async enlist(): Promise<void> {
    const callback = (_error: Error | null, { data }: Message): void => {
      this.onMessage(data);
    };
    this.#client.subscribe(VALUES, { callback });
    await this.#client.flush();
  }

  publish(value: Uint8Array): void {
    this.#client.publish(VALUES, value);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

async function connect(port: number): Promise<NatsClient> {
  const { connect: open } = (await load('@nats-io/transport-node')) as {
    readonly connect: (options: object) => Promise<NatsClient>;
  };
  return open({ servers: `${LOOPBACK}:${port}`, reconnect: false });
}

async function startServer(): Promise<{ readonly server: ChildProcess; readonly port: number }> {
  const server = spawn('nats-server', ['-a', LOOPBACK, '-p', '-1'], { stdio: ['ignore', 'ignore', 'pipe'] });
  process.once('exit', () => server.kill('SIGKILL'));
  const said = server.stderr.setEncoding('utf8');
  const port = await Promise.race([
    new Promise<number>(resolve => {
      let text = '';
      said.on('data', (chunk: string) => {
        text += chunk;
        const found = LISTENING.exec(text);
        if (found) resolve(Number(found[1]));
      });
    }),
    once(server, 'error').then(([error]) => {
      throw new Error(`nats-server does not start: ${String(error)}`);
    }),
    once(server, 'exit').then(([code]) => {
      throw new Error(`nats-server ended with ${String(code)}`);
    }),
  ]);
  return { server, port };
}

/** Resident bytes of a child, as Linux tells them. */
function residentOf({ pid = 0 }: ChildProcess): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
