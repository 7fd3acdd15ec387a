import { Duplex } from 'node:stream';

import { decodeText, encodeText } from '@coconet/cluster-protocol/core';
import { JsonLineServer } from '@coconet/cluster-protocol/node';
import type { SeededRandom } from '@coconet/cluster-protocol/testing';

import {
  nodeInfoOf,
  unpackBatch,
  unpackDescription,
  unpackList,
  unpackOutcome,
} from '../../../packages/client-sdk/src/bridge/wire.js';
import { ClientError } from '../../../packages/client-sdk/src/errors.js';
import {
  HEADER_LENGTH,
  encodeFrame,
  logHeader,
  readFrames,
  readLogHeader,
} from '../../../packages/cluster-protocol/src/nodejs/store-log.js';
import { edge, pick } from '../byte-mutator.js';
import type { Decoder, Reading } from './decoder.js';
import { vectorBytes } from './vectors.js';

const REPORTS = vectorBytes('capabilities', 'messages').map(bytes =>
  Buffer.from(bytes).toString('base64url'),
);

/** What reads bytes of other programs on the same machine. */
export const LOCAL_DECODERS: Readonly<Record<string, Decoder>> = {
  jsonLines: {
    about: 'requests over local sockets',
    weight: 2,
    seeds: [
      '{"id":1,"method":"echo","params":{"a":[1,{"b":null}]}}\n',
      '{"id":"x","method":"count","window":2}\n{"more":"x","count":3}\n{"cancel":"x"}\n',
      '{"id":2,"method":"fail"}\n\n{"id":2,"method":"never"}\n{"cancel":2}\n',
    ].map(encodeText),
    vary: varyJson,
    read: readLines,
  },
  bridgeValues: {
    about: 'values between programs that share a store',
    weight: 2,
    seeds: [
      { code: 'success', answered: true, response: REPORTS[0], entries: REPORTS.slice(0, 2), field: 'x' },
      { nodeId: 1, name: 'x', lastSeen: '2026-01-01T00:00:00Z' },
      ...REPORTS.map(report => [report]),
      'kg',
    ].map(value => encodeText(JSON.stringify(value))),
    vary: varyJson,
    read: readBridge,
  },
  storeLog: {
    about: 'the log of a store',
    seeds: [storeLog()],
    read: bytes => {
      const { entries, damaged } = readFrames(bytes);
      return { way: `${readLogHeader(bytes)} ${entries.size} ${damaged}` };
    },
  },
};

function storeLog(): Uint8Array {
  const frames = [logHeader()];
  let at = HEADER_LENGTH;
  for (const value of [Uint8Array.of(1, 2, 3), undefined]) {
    const frame = encodeFrame(at, [[['some/key', value]]]);
    frames.push(frame);
    at += frame.length;
  }
  return new Uint8Array(Buffer.concat(frames));
}

/** The other end of a socket, which reads all that is said to it. */
class Listener extends Duplex {
  lines = '';

  override _read(): void {
    // What there is to read is given in one piece, by the event.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.lines += chunk.toString();
    done();
  }
}

async function* numbers(): AsyncGenerator<number> {
  for (let i = 0; i < 3; i++) yield i;
}

function readLines(bytes: Uint8Array): Reading {
  const server = new JsonLineServer({
    echo: params => params,
    count: () => numbers(),
    fail: () => {
      throw new Error('it fails');
    },
    never: (_params, { signal }) => new Promise(resolve => signal.addEventListener('abort', resolve)),
  });
  const socket = new Listener();
  server.accept(socket);
  const half = bytes.length >> 1;
  // As a socket would hand it over, and at once: what is thrown is to be seen here.
  socket.emit('data', Buffer.from(bytes.subarray(0, half)));
  socket.emit('data', Buffer.from(bytes.subarray(half)));
  socket.destroy();
  const said = socket.lines.split('\n').filter(line => line !== '');
  const ways = said.map(wayOf);
  return { way: [...new Set(ways)].slice(0, 2).join(' ') };
}

/** What is answered, in words that do not quote. */
const wayOf = (line: string): string =>
  /"code":"\w+","message":"\w+/.exec(line)?.[0] ?? Object.keys(JSON.parse(line) as object).join();

function readBridge(bytes: Uint8Array): Reading {
  let value: unknown;
  try {
    value = JSON.parse(decodeText(bytes) ?? '');
  } catch {
    return { way: 'no JSON' };
  }
  const readers = { unpackList, unpackBatch, unpackDescription, unpackOutcome, nodeInfoOf };
  const taken: string[] = [];
  for (const [name, read] of Object.entries(readers))
    try {
      read(value);
      taken.push(name);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
    }
  return { way: taken.join(' ') };
}

const DEEP = 2_000;

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  '',
  'constructor',
  '__proto__',
  'x'.repeat(100),
  [],
  {},
  { toString: 1, valueOf: 1 },
  { length: 1e9 },
  { then: 1 },
  JSON.parse('{"__proto__":{"a":1}}'),
  JSON.parse(`${'['.repeat(DEEP)}${']'.repeat(DEEP)}`),
];

/** JSON lines with one value of one line changed; what is no JSON stays as it is. */
function varyJson(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const lines = (decodeText(bytes) ?? '').split('\n');
  const at = random.below(lines.length);
  try {
    lines[at] = JSON.stringify(vary(random, JSON.parse(lines[at] || 'null') as unknown));
  } catch {
    lines[at] = '{"id":1,"method":"echo"}';
  }
  if (random.below(4) === 0) lines.splice(at, 0, lines[at]);
  return encodeText(lines.join('\n'));
}

function vary(random: SeededRandom, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.below(6) === 0)
    return random.below(3) === 0 ? edge(random) : pick(random, ODD);
  if (Array.isArray(value)) {
    const list = value as unknown[];
    const at = random.below(list.length + 1);
    return [...list.slice(0, at), vary(random, list[at]), ...list.slice(at + random.below(2))];
  }
  const entries = Object.entries(value);
  const at = random.below(entries.length);
  return Object.fromEntries(
    entries.flatMap(([name, item], i) =>
      i !== at ? [[name, item]] : random.below(8) === 0 ? [] : [[name, vary(random, item)]],
    ),
  );
}
