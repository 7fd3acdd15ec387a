import test from 'ava';
import fc from 'fast-check';

import { errorText, Log, MAX_LOG_LINE } from '../src/log.js';
import { at, on } from './support/surroundings.js';

function logger(level: 'error' | 'info' | 'debug' = 'info') {
  const lines: string[] = [];
  const clock = { now: 0 };
  const log = new Log(level, {
    write: line => lines.push(line),
    now: () => at(clock.now),
    wallTime: () => on(clock.now),
  });
  return { lines, clock, log };
}

test('a line is one JSON object with time, level, event and fields', t => {
  const { lines, log } = logger();

  log.info('started', { port: 28_620, public: false, name: undefined });

  t.deepEqual(JSON.parse(lines[0]!), {
    time: '2026-01-01T00:00:00.000Z',
    level: 'info',
    event: 'started',
    port: 28_620,
    public: false,
  });
});

test('nothing that somebody chose can begin a second line or move a cursor', t => {
  const { lines, log } = logger();

  log.info('joined', { name: 'a\nb\r\u001b[2J\u0000\u0085\u2028\u202eexe\u007f' });

  t.is(lines.length, 1);

  t.notRegex(lines[0]!, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
  t.is((JSON.parse(lines[0]!) as { name: string }).name, 'a\nb\r\u001b[2J\u0000\u0085\u2028\u202eexe\u007f');
});

test('whatever the fields are, a line is valid JSON of at most 2 KiB without control characters', t => {
  const field = fc.oneof(fc.string({ maxLength: 3_000, unit: 'binary' }), fc.double(), fc.boolean());

  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 20 }), field, { maxKeys: 12 }), fields => {
      const { lines, log } = logger();
      log.info('anything', fields);
      JSON.parse(lines[0]!);

      return lines[0]!.length <= MAX_LOG_LINE && !/[\u0000-\u001f\u007f-\u009f]/.test(lines[0]!);
    }),
  );
  t.pass();
});

test('a hundred thousand of the same event are ten lines a minute, and the next one says how many were left out', t => {
  const { lines, log, clock } = logger();

  for (let i = 0; i < 100_000; i++) log.info('badHandshake');
  clock.now = 60_000;
  log.info('badHandshake');
  log.info('badHandshake');

  t.is(lines.length, 12);
  t.is((JSON.parse(lines[10]!) as { suppressed: string }).suppressed, '99990 suppressed');
  t.false('suppressed' in (JSON.parse(lines[11]!) as object));
});

test('one event that is loud does not silence another', t => {
  const { lines, log } = logger();
  for (let i = 0; i < 100; i++) log.info('loud');

  log.error('rare');

  t.is(lines.length, 11);
});

test('lines below the level are not written', t => {
  const { lines, log } = logger('error');

  log.info('a');
  log.warn('b');
  log.error('c');

  t.is(lines.length, 1);
});

test('an error shows its code', t => {
  t.is(errorText(Object.assign(new Error('no'), { code: 'EX' })), 'EX: no');
  t.is(errorText('x'), 'an unknown error');
});
