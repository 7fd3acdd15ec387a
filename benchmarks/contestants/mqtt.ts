import { createServer, type Socket } from 'node:net';

import { type Connection, carried } from '../connection.js';
import { type Contestant, LOOPBACK } from '../contestant.js';
import { load } from '../peers/load.js';
import { bytesOf, listening } from './tcp.js';

/** Every client hears what is published here. */
const VALUES = 'values';
/** Requests, each to a topic that ends with the name of its client. */
const REQUESTS = 'requests/';
const ANSWERS = 'answers/';

interface Packet {
  readonly topic: string;
  readonly payload: Buffer;
}
/** What is used of `aedes`. */
interface Broker {
  readonly handle: (socket: Socket) => void;
  subscribe(topic: string, taken: (packet: Packet, done: () => void) => void, done: () => void): void;
  publish(packet: object, done: () => void): void;
  close(done: () => void): void;
}
/** What is used of a client of `mqtt`. */
interface MqttClient {
  readonly stream: Socket;
  on(event: 'message', listener: (topic: string, payload: Buffer) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  subscribeAsync(topics: readonly string[], options: { readonly qos: 1 }): Promise<unknown>;
  publish(topic: string, payload: Buffer, options: { readonly qos: 1 }): void;
  endAsync(force: boolean): Promise<void>;
}

/**
 * MQTT 3.1.1 over TCP, quality of service 1 (at least once), not encrypted. The broker's process answers; a value is
 * published to the broker, which sends it to whoever subscribed.
 */
export const mqtt: Contestant = carried<{ readonly port: number }>({
  pours: false,
  sessions: true,
  listen: async accept => {
    const { Aedes } = (await load('aedes')) as {
      readonly Aedes: { createBroker(): Promise<Broker> };
    };
    const broker = await Aedes.createBroker();
    const known = new Map<string, Answers>();
    broker.subscribe(
      `${REQUESTS}#`,
      ({ topic, payload }, done) => {
        const name = topic.slice(REQUESTS.length);
        let answers = known.get(name);
        if (!answers) {
          answers = new Answers(broker, ANSWERS + name);
          known.set(name, answers);
          accept(answers);
        }
        answers.onMessage(payload);
        done();
      },
      () => undefined,
    );
    const { port, close } = await listening(createServer({ noDelay: true }, broker.handle));
    return {
      invitation: { port },
      close: async () => {
        await close();
        await new Promise<void>(resolve => {
          broker.close(resolve);
        });
      },
    };
  },
  dial: async ({ port }) => {
    const { connectAsync } = (await load('mqtt')) as {
      readonly connectAsync: (options: object) => Promise<MqttClient>;
    };
    let clients = 0;
    return {
      connect: async () => {
        const name = `${process.pid}-${++clients}`;
        const client = await connectAsync({
          protocol: 'mqtt',
          host: LOOPBACK,
          port,
          clientId: name,
          reconnectPeriod: 0,
        });
        await client.subscribeAsync([ANSWERS + name], { qos: 1 });
        return new MqttConnection(client, name);
      },
      close: () => Promise.resolve(),
    };
  },
});

class Answers implements Connection {
  readonly wireBytes = undefined;
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  readonly #broker: Broker;
  readonly #topic: string;

  constructor(broker: Broker, topic: string) {
    this.#broker = broker;
    this.#topic = topic;
  }

  send(message: Uint8Array): void {
    const packet = {
      cmd: 'publish',
      topic: this.#topic,
      payload: Buffer.from(message),
      qos: 1,
      retain: false,
    };
    this.#broker.publish(packet, () => undefined);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class MqttConnection implements Connection {
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  readonly #client: MqttClient;
  readonly #name: string;

  constructor(client: MqttClient, name: string) {
    this.#client = client;
    this.#name = name;
    client.on('error', () => undefined);
    client.on('message', (_topic, payload) => {
      this.onMessage(payload);
    });
  }

  get wireBytes(): number {
    return bytesOf(this.#client.stream);
  }

  send(message: Uint8Array): void {
    this.#client.publish(REQUESTS + this.#name, Buffer.from(message), { qos: 1 });
  }

  async enlist(): Promise<void> {
    await this.#client.subscribeAsync([VALUES], { qos: 1 });
  }

  publish(value: Uint8Array): void {
    this.#client.publish(VALUES, Buffer.from(value), { qos: 1 });
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
