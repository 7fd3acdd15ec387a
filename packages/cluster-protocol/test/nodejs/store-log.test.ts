import test from 'ava';
import fc from 'fast-check';

import {
  encodeFrame,
  HEADER_LENGTH,
  logHeader,
  readFrames,
  readLogHeader,
} from '../../src/nodejs/store-log.js';
import { concatBytes } from '../../src/base/index.js';

type Change = readonly [key: string, value: Uint8Array | undefined];

const key = fc.stringMatching(/^[a-z/]{1,4}$/);
const changes = fc.array(fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined })), {
  minLength: 1,
  maxLength: 4,
});
const batches = fc.array(changes, { minLength: 1, maxLength: 6 });

/** A log of these batches, a frame each: where every frame ends, and what holds there. */
function logOf(list: readonly (readonly Change[])[]) {
  let log = logHeader();
  const state = new Map<string, Uint8Array>();
  const points = [{ end: log.length, state: new Map(state) }];
  for (const batch of list) {
    log = concatBytes(log, encodeFrame(log.length, [batch]));
    for (const [name, value] of batch) {
      if (value === undefined) state.delete(name);
      else state.set(name, value);
    }
    points.push({ end: log.length, state: new Map(state) });
  }
  return { log, points };
}

const sorted = (entries: ReadonlyMap<string, Uint8Array>) =>
  [...entries].map(([name, value]) => [name, [...value]] as const).sort(([a], [b]) => (a < b ? -1 : 1));

test('what was written is read', t => {
  fc.assert(
    fc.property(batches, list => {
      const { log, points } = logOf(list);

      const contents = readFrames(log);

      t.deepEqual(sorted(contents.entries), sorted(points.at(-1)!.state));
      t.deepEqual([contents.end, contents.damaged], [log.length, false]);
    }),
  );
});

test('a log cut anywhere holds exactly the whole frames before the cut', t => {
  fc.assert(
    fc.property(batches, fc.nat(), (list, where) => {
      const { log, points } = logOf(list);
      const cut = HEADER_LENGTH + (where % (log.length - HEADER_LENGTH + 1));
      const expected = points.filter(({ end }) => end <= cut).at(-1)!;

      const contents = readFrames(log.subarray(0, cut));

      t.deepEqual(sorted(contents.entries), sorted(expected.state));
      t.deepEqual([contents.end, contents.damaged], [expected.end, false]);
    }),
  );
});

test('a log changed anywhere holds the frames before the change, and tells damage from a torn tail', t => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, where, flip) => {
      const { log, points } = logOf(list);
      const at = HEADER_LENGTH + (where % (log.length - HEADER_LENGTH));
      log[at] = log[at]! ^ flip;
      const index = points.findLastIndex(({ end }) => end <= at);

      const contents = readFrames(log);

      t.deepEqual(sorted(contents.entries), sorted(points[index]!.state));
      t.is(contents.end, points[index]!.end);
      t.is(contents.damaged, index < points.length - 2);
    }),
  );
});

test('any bytes are read without an error', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
      const contents = readFrames(concatBytes(logHeader(), bytes));

      return contents.end >= HEADER_LENGTH && contents.end <= HEADER_LENGTH + bytes.length;
    }),
  );
  t.pass();
});

test('a frame that lies elsewhere is none', t => {
  const frame = encodeFrame(HEADER_LENGTH, [[['key', Uint8Array.of(1)]]]);
  const inner = encodeFrame(HEADER_LENGTH, [[['value', frame]]]);

  const contents = readFrames(concatBytes(logHeader(), inner.subarray(0, inner.length - 1)));

  t.deepEqual([...contents.entries], []);
  t.false(contents.damaged);
});

test('the header names its version', t => {
  t.is(logHeader().length, HEADER_LENGTH);
  t.is(new TextDecoder().decode(logHeader()), 'coconet store 1        \n');
  t.is(readLogHeader(logHeader()), 1);
  t.is(readLogHeader(logHeader(27)), 27);
  t.is(readLogHeader(new Uint8Array(HEADER_LENGTH)), undefined);
});
