import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import fc from 'fast-check';

import { ClusterError } from '../../src/base/index.js';
import { JsonLineClient } from '../../src/nodejs/json-line-client.js';
import { JsonLineServer } from '../../src/nodejs/json-line-server.js';
import type { JsonLineMethod } from '../../src/nodejs/json-line-server.js';
import { JsonLineError, MAX_JSON_LINE } from '../../src/nodejs/json-lines.js';
import { temporaryFolder } from './support/folders.js';

/** A server with these methods and a way to connect to it. */
async function serve(t: ExecutionContext, methods: Record<string, JsonLineMethod>) {
  const server = new JsonLineServer(methods);
  const listener = createServer(socket => server.accept(socket));
  const path = join(temporaryFolder(t), 's');
  await new Promise<void>(resolve => listener.listen(path, resolve));
  const clients: JsonLineClient[] = [];
  t.teardown(async () => {
    await Promise.all(clients.map(client => client.close()));
    await server.close();
    listener.close();
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(path);
    await new Promise(resolve => socket.once('connect', resolve));
    return socket;
  };
  const client = async (): Promise<JsonLineClient> => {
    const made = new JsonLineClient(await open());
    clients.push(made);
    return made;
  };
  return { server, open, client };
}

/** Writes raw text and returns what comes back until `lines` lines are there or the connection ends. */
async function talk(socket: Socket, text: string | Uint8Array, lines: number): Promise<unknown[]> {
  socket.write(text);
  let answer = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    answer += String(chunk);
    if (answer.split('\n').length > lines) break;
  }
  return answer
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as unknown);
}

test('any JSON value comes back as it was, however the bytes are cut', async t => {
  const { client } = await serve(t, { echo: ({ value }) => value });
  const one = await client();

  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async value => {
      const sent = JSON.parse(JSON.stringify(value)) as unknown;

      t.deepEqual(await one.request('echo', { value: sent }), sent);
    }),
    { numRuns: 60 },
  );
});

test('requests of one connection run side by side and are answered when they are done', async t => {
  let release: (value: string) => void = () => {};
  const { client } = await serve(t, {
    slow: () => new Promise(resolve => (release = resolve)),
    fast: () => 'fast',
  });
  const one = await client();

  const slow = one.request('slow');
  t.is(await one.request('fast'), 'fast');
  release('slow');

  t.is(await slow, 'slow');
});

test('errors come through with code, message and status', async t => {
  const { client } = await serve(t, {
    known: () => {
      throw new ClusterError('PEER_AWAY', 'Desk is away');
    },
    status: () => {
      throw new JsonLineError('COMMAND_FAILED', 'out of range', 'outOfRange');
    },
    bug: () => {
      throw new TypeError('oops');
    },
  });
  const one = await client();

  await t.throwsAsync(one.request('known'), {
    instanceOf: JsonLineError,
    code: 'PEER_AWAY',
    message: 'Desk is away',
  });
  const error = await t.throwsAsync<JsonLineError>(one.request('status'), { code: 'COMMAND_FAILED' });
  t.is(error.status, 'outOfRange');
  await t.throwsAsync(one.request('bug'), { code: 'INTERNAL', message: 'oops' });
  await t.throwsAsync(one.request('none'), {
    code: 'INVALID_ARGUMENT',
    message: /'none', only known, status, bug/,
  });
});

test('a stream comes whole and in order', async t => {
  const { client } = await serve(t, {
    async *count({ to }) {
      for (let i = 0; i < Number(to); i++) yield i;
    },
  });
  const one = await client();

  const numbers: unknown[] = [];
  for await (const number of one.stream('count', { to: 1_000 })) numbers.push(number);

  t.deepEqual(
    numbers,
    Array.from({ length: 1_000 }, (_, i) => i),
  );
});

test('a source runs no further ahead than its reader allows, and other requests pass it', async t => {
  let produced = 0;
  const { client } = await serve(t, {
    async *endless() {
      for (;;) yield ++produced;
    },
    ping: () => 'pong',
  });
  const one = await client();

  const stream = one.stream('endless');
  for (let i = 0; i < 10; i++) await stream.next();
  for (let i = 0; i < 20; i++) t.is(await one.request('ping'), 'pong');

  t.true(produced <= 65, `${produced} items`);
  await stream.return();
});

test('leaving a stream, aborting and going away all end the source', async t => {
  const ended: string[] = [];
  let all: () => void = () => {};
  const done = new Promise<void>(resolve => (all = resolve));
  const { client } = await serve(t, {
    async *watch({ name }, { signal }) {
      try {
        yield 'first';
        await new Promise(resolve => signal.addEventListener('abort', resolve));
      } finally {
        ended.push(String(name));
        if (ended.length === 3) all();
      }
    },
  });
  const one = await client();
  const two = await client();
  const abort = new AbortController();

  for await (const _ of one.stream('watch', { name: 'left' })) break;
  const aborted = one.stream('watch', { name: 'aborted' }, { signal: abort.signal });
  await aborted.next();
  const next = aborted.next();
  abort.abort();
  const away = two.stream('watch', { name: 'away' });
  await away.next();
  const lost = away.next();
  void two.close();

  await t.throwsAsync(next, { instanceOf: ClusterError, code: 'CANCELLED' });
  await t.throwsAsync(lost, { code: 'CONNECTION_LOST' });
  await done;
  t.deepEqual(ended.sort(), ['aborted', 'away', 'left']);
});

test('an aborted request fails at once and its method is told', async t => {
  let told: (reason: unknown) => void = () => {};
  const reason = new Promise(resolve => (told = resolve));
  const { client } = await serve(t, {
    wait: (_params, { signal }) =>
      new Promise(() => signal.addEventListener('abort', () => told(signal.reason))),
  });
  const one = await client();
  const abort = new AbortController();

  const waiting = one.request('wait', {}, { signal: abort.signal });
  abort.abort();

  await t.throwsAsync(waiting, { code: 'CANCELLED' });
  t.is(((await reason) as ClusterError).code, 'CANCELLED');
  await t.throwsAsync(one.request('wait', {}, { signal: abort.signal }), { code: 'CANCELLED' });
});

test('a server that ends fails what is under way, and later requests', async t => {
  const { server, client } = await serve(t, { wait: () => new Promise(() => {}) });
  const one = await client();

  const waiting = one.request('wait');
  t.is(await Promise.race([waiting, one.request('none').catch(() => 'served')]), 'served');
  await server.close();

  await t.throwsAsync(waiting, { code: 'CONNECTION_LOST' });
  await one.closed;
  await t.throwsAsync(one.request('wait'), { code: 'CONNECTION_LOST' });
  t.is(server.connections, 0);
});

test('the lines are as the specification shows them', async t => {
  const { open } = await serve(t, {
    add: ({ a, b }) => Number(a) + Number(b),
    nothing: () => undefined,
    async *two() {
      yield 'a';
      yield 'b';
    },
  });
  const socket = await open();

  const answer = await talk(
    socket,
    '{"id":1,"method":"add","params":{"a":1,"b":2}}\n\n{"id":"x","method":"nothing"}\r\n{"id":3,"method":"two"}\n',
    5,
  );

  t.deepEqual(
    answer.filter(line => (line as { id: unknown }).id !== 3),
    [
      { id: 1, result: 3 },
      { id: 'x', result: null },
    ],
  );
  t.deepEqual(
    answer.filter(line => (line as { id: unknown }).id === 3),
    [
      { id: 3, item: 'a' },
      { id: 3, item: 'b' },
      { id: 3, end: true },
    ],
  );
  socket.destroy();
});

test('wrong requests are answered with what is wrong', async t => {
  const { open } = await serve(t, { wait: () => new Promise(() => {}) });
  const socket = await open();

  const lines = [
    '7',
    '{"method":"wait"}',
    '{"id":1,"method":7}',
    '{"id":1,"method":"wait","params":[]}',
    '{"id":2,"method":"wait"}',
  ];
  const answer = await talk(
    socket,
    `${lines.join('\n')}\n{"id":2,"method":"wait"}\n{"cancel":99}\n{"more":99}\n`,
    5,
  );

  t.deepEqual(
    answer.map(line => (line as { id: unknown; error: { code: string } }).id),
    [null, null, 1, 1, 2],
  );
  t.true(answer.every(line => (line as { error: { code: string } }).error.code === 'INVALID_ARGUMENT'));
  socket.destroy();
});

test('a method that is no text is refused, whatever else it is', async t => {
  const { open, client } = await serve(t, { echo: ({ value }) => value });
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const socket = await open();

  const answers = await talk(
    socket,
    `{"id":1,"method":{"toString":1}}\n{"id":2,"method":${deep}}\n{"id":3,"method":null}\n`,
    3,
  );

  const refusal = { code: 'INVALID_ARGUMENT', message: 'method: a text' };
  t.deepEqual(
    answers,
    [1, 2, 3].map(id => ({ id, error: refusal })),
  );
  t.is(await (await client()).request('echo', { value: 1 }), 1);
  socket.destroy();
});

test('an error with more to say than fits one line says the beginning of it', async t => {
  const { client } = await serve(t, {
    fail: () => {
      throw new ClusterError('INVALID_ARGUMENT', `no such name: ${'x'.repeat(MAX_JSON_LINE)}`);
    },
  });
  const one = await client();

  const error = await t.throwsAsync<JsonLineError>(one.request('fail'), { code: 'INVALID_ARGUMENT' });

  t.regex(error.message, /^no such name: x{100}/);
  t.true(error.message.length < 10_000);
});

test('nonsense and endless lines end the connection, and no other', async t => {
  const { open, client } = await serve(t, { ping: () => 'pong' });
  const good = await client();

  const [nonsense] = await talk(await open(), 'GET / HTTP/1.1\r\n', 2);
  const [endless] = await talk(await open(), new Uint8Array(MAX_JSON_LINE + 1).fill(0x20), 2);

  t.like(nonsense, { id: null, error: { message: 'a line is not JSON' } });
  t.like(endless, { id: null, error: { message: `a line is longer than ${MAX_JSON_LINE} bytes` } });
  t.is(await good.request('ping'), 'pong');
});

test('any bytes at all leave the server standing', async t => {
  const { open, client } = await serve(t, { ping: () => 'pong' });
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc
      .constantFrom('{"id":1,"method":"ping"}\n', '{"cancel":1}\n', '{"more":1,"count":-1}\n', '[]\n', '\n')
      .map(text => Buffer.from(text)),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async pieces => {
      const socket = await open();
      const over = new Promise(resolve => socket.resume().once('close', resolve));
      socket.end(Buffer.concat(pieces));
      await over;
    }),
    { numRuns: 40 },
  );

  t.is(await (await client()).request('ping'), 'pong');
});

test('too much in one line is refused by the side that would send it', async t => {
  const { client } = await serve(t, { big: () => 'x'.repeat(MAX_JSON_LINE), ping: () => 'pong' });
  const one = await client();

  await t.throwsAsync(one.request('ping', { big: 'x'.repeat(MAX_JSON_LINE) }), { code: 'MESSAGE_TOO_LARGE' });
  await t.throwsAsync(one.request('big'), { code: 'MESSAGE_TOO_LARGE' });

  t.is(await one.request('ping'), 'pong');
});

test('a client that does not read its answers is not read either', async t => {
  let asked = 0;
  const { open, client } = await serve(t, {
    big: () => {
      asked++;
      return 'x'.repeat(1_000_000);
    },
    ping: () => 'pong',
  });
  const deaf = await open();
  const other = await client();

  for (let i = 0; i < 20_000; i++)
    deaf.write(`{"id":${i},"method":"big","params":{"padding":"${'y'.repeat(100)}"}}\n`);
  for (let i = 0; i < 50; i++) await other.request('ping');

  t.true(asked < 5_000, `${asked} answers pile up`);
  deaf.destroy();
});
