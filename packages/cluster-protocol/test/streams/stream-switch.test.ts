import test from 'ava';

import { milliseconds, seconds } from '../../src/base/index.js';
import { ClusterNode, type ClusterEvent } from '../../src/interface/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { StreamSwitch, type StreamRuntime } from '../../src/streams/index.js';
import {
  memberOf,
  savedNode,
  SimulatedWorld,
  type SmallNetwork,
  smallNetwork,
  type SimulatedHost,
} from '../../src/testing/index.js';

const crypto = await createCryptoProvider();
const SERVICE = 0x8001;

/** A member on a simulated host, with the verbs that streams need. */
class Member implements StreamRuntime {
  closed = false;
  readonly nodeId: number;
  readonly streams: StreamSwitch;
  readonly node: ClusterNode;
  readonly #host: SimulatedHost;
  #running: { turn(): void } | undefined;
  readonly #listeners = new Set<(event: ClusterEvent) => void>();

  constructor(network: SmallNetwork, name: string, host: SimulatedHost, peer?: [string, SimulatedHost]) {
    this.nodeId = memberOf(network, name).nodeId;
    this.#host = host;
    const addresses = new Map(peer ? [[memberOf(network, peer[0]).nodeId, [peer[1].address(5_000)]]] : []);
    this.node = new ClusterNode({
      provider: crypto,
      random: host.random,
      now: host.now(),
      wall: host.wallTime(),
      saved: savedNode(network, name, host.random, addresses),
      nmnAddresses: [],
      allowDocumentationAddresses: true,
    });
    this.streams = new StreamSwitch(this);
  }

  async start(): Promise<this> {
    this.#running = await this.#host.run(this.node, { port: 5_000 }, event => {
      for (const listener of this.#listeners) listener(event);
    });
    return this;
  }

  do<T>(verb: (node: ClusterNode, now: ReturnType<SimulatedHost['now']>) => T): T {
    const result = verb(this.node, this.#host.now());
    this.#running?.turn();
    return result;
  }

  on(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

async function house(seed: number) {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn });
  const [a, b] = [world.host({ name: 'lamp' }), world.host({ name: 'phone' })];
  const network = smallNetwork(crypto, a.random, a.wallTime(), [
    { name: 'lamp', kind: 'device' },
    { name: 'phone', kind: 'client', role: 'guest' },
  ]);
  const lamp = await new Member(network, 'lamp', a).start();
  const phone = await new Member(network, 'phone', b, ['lamp', a]).start();
  /** Lets virtual time pass until the promise is settled. */
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false;
    const mark = (): void => void (done = true);
    promise.then(mark, mark);
    await world.until(() => done, seconds(60), 'the streams');
    return promise;
  };
  return { world, lamp, phone, settled };
}

/** Web Streams take a few turns of the event loop to hand a chunk from one end of a pipe to the other. */
async function yieldTurn(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise(resolve => setImmediate(resolve));
}

/** A stream of chunks of 10,000 bytes. */
function source(all: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull: controller => {
      if (at >= all.length) controller.close();
      else controller.enqueue(all.slice(at, (at += 10_000)));
    },
  });
}

async function whole(readable: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  return Buffer.concat(chunks);
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);

test('an echo of 300,000 bytes comes back whole through pipeTo', async t => {
  const { lamp, phone, settled } = await house(1);
  lamp.streams.handle(SERVICE, ({ readable, writable }) => readable.pipeTo(writable));
  const sent = bytes(300_000);

  const stream = await settled(phone.streams.open(lamp.nodeId, { service: SERVICE }));
  const writing = source(sent).pipeTo(stream.writable);
  const echo = await settled(whole(stream.readable));
  await settled(writing);

  t.deepEqual(echo, Buffer.from(sent));
});

test('a one-way stream brings its bytes to whoever takes its service', async t => {
  const { lamp, phone, settled } = await house(2);
  const received = new Promise<Buffer>(resolve => {
    lamp.streams.handle(SERVICE, async ({ readable }) => {
      resolve(await whole(readable));
    });
  });

  const stream = await settled(phone.streams.open(lamp.nodeId, { service: SERVICE, oneWay: true }));
  await settled(source(bytes(90_010)).pipeTo(stream.writable));

  t.deepEqual(await settled(received), Buffer.from(bytes(90_010)));
});

test('closing the writer waits until the peer has everything', async t => {
  const { world, lamp, phone, settled } = await house(3);
  lamp.streams.handle(SERVICE, async ({ readable }) => {
    await whole(readable);
  });
  const stream = await settled(phone.streams.open(lamp.nodeId, { service: SERVICE }));
  const writer = stream.writable.getWriter();
  await settled(writer.write(bytes(100)));
  let closed = false;

  const closing = writer.close().then(() => (closed = true));
  await world.run(milliseconds(0));
  t.false(closed);
  await settled(closing);

  t.true(closed);
});

test('a service that nobody takes is refused, and both halves say so', async t => {
  const { lamp, phone, settled } = await house(4);

  const stream = await settled(phone.streams.open(lamp.nodeId, { service: SERVICE }));
  const writer = stream.writable.getWriter();

  await t.throwsAsync(settled(writer.closed), {
    code: 'STREAM_STOPPED',
    message: /takes no streams of service 32769/,
  });
  await t.throwsAsync(settled(whole(stream.readable)), { code: 'STREAM_RESET' });
});

test('a reader that cancels stops the writer with its code', async t => {
  const { lamp, phone, settled } = await house(5);
  lamp.streams.handle(SERVICE, ({ readable }) => readable.cancel(0x123));

  const stream = await settled(phone.streams.open(lamp.nodeId, { service: SERVICE, oneWay: true }));
  const writer = stream.writable.getWriter();

  const error = await t.throwsAsync(settled(writer.closed), { code: 'STREAM_STOPPED' });
  t.is((error as unknown as { streamCode: number }).streamCode, 0x123);
});

test('a writer that is aborted resets the reader, and a handler that throws ends its stream', async t => {
  const { lamp, phone, settled } = await house(6);
  lamp.streams.handle(SERVICE, async ({ readable }) => {
    const reader = readable.getReader();
    await reader.read();
    throw new Error('not today');
  });

  const stream = await settled(phone.streams.open(lamp.nodeId, { service: SERVICE }));
  await settled(stream.writable.getWriter().write(bytes(10)));

  await t.throwsAsync(settled(whole(stream.readable)), { code: 'STREAM_RESET' });
});

test('a stream ends with the session, and says why', async t => {
  const { lamp, phone, settled } = await house(7);
  const taken = new Promise<void>(resolve => {
    lamp.streams.handle(SERVICE, () => {
      resolve();
    });
  });
  const stream = await settled(phone.streams.open(lamp.nodeId, { service: SERVICE }));
  await settled(taken);
  const reading = whole(stream.readable);

  lamp.do((node, now) => {
    node.close(now);
  });

  await t.throwsAsync(settled(reading), { code: 'SESSION_CLOSED', message: /going away/ });
});

test('the wait for a peer that is away ends with the signal', async t => {
  const { phone, lamp, settled } = await house(8);
  const asked = new AbortController();
  const opening = phone.streams.open(lamp.nodeId, { service: SERVICE, signal: asked.signal });

  asked.abort();

  await t.throwsAsync(settled(opening), { code: 'CANCELLED' });
});

test('a second handler of a service is refused, until the first one stops', async t => {
  const { lamp } = await house(9);

  const stop = lamp.streams.handle(SERVICE, () => undefined);
  t.throws(() => lamp.streams.handle(SERVICE, () => undefined), { code: 'INVALID_STATE' });
  stop();

  t.notThrows(() => lamp.streams.handle(SERVICE, () => undefined));
});
