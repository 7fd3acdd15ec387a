import test from 'ava';

import { parseOptions } from '../benchmarks/options.js';
import { type Round, summarize } from '../benchmarks/result.js';
import { quantile, spreadOf } from '../benchmarks/statistics.js';
import { tableOf } from '../benchmarks/table.js';

const rounds = (...each: readonly Record<string, object>[]): readonly Round[] =>
  each.map(figures => new Map(Object.entries(figures)));

const run = { quick: false, cores: undefined, contestants: ['coconet', 'dgram', 'tcp'], absent: [] };

test('the median of an even number of values lies between the middle two', t => {
  t.is(quantile([4, 1, 3, 2], 0.5), 2.5);
  t.is(quantile([5, 1, 3], 0.5), 3);
  t.is(quantile([], 0.5), NaN);
  t.deepEqual(spreadOf([9, 1, 5]), { median: 5, least: 1, most: 9 });
});

test('a ratio is taken within a round before the median is taken', t => {
  // The machine was twice as slow in the second round and had a neighbour in the third.
  const measured = rounds(
    { coconet: { commandP50: 1.1 }, dgram: { commandP50: 1 } },
    { coconet: { commandP50: 2.2 }, dgram: { commandP50: 2 } },
    { coconet: { commandP50: 9 }, dgram: { commandP50: 3 } },
  );

  const { rows } = summarize(measured, run);

  const row = rows.find(({ name }) => name === 'commandP50');
  t.is(row?.baseline, 'dgram');
  t.like(row?.cells['coconet'], { value: { median: 2.2 }, ratio: { median: 1.1, least: 1.1, most: 3 } });
});

test('bulk is compared with TCP, a set-up with one exchange of raw datagrams, and memory with nothing', t => {
  const measured = rounds({
    coconet: { bulk: 40, setUp: 2, serverMemory: 9_000 },
    dgram: { commandP50: 0.1 },
    tcp: { bulk: 100 },
  });

  const { rows } = summarize(measured, run);

  const ratioOf = (name: string): number | undefined =>
    rows.find(row => row.name === name)?.cells['coconet']?.ratio?.median;
  t.is(ratioOf('bulk'), 0.4);
  t.is(ratioOf('setUp'), 20);
  t.is(ratioOf('serverMemory'), undefined);
});

test('who has no figure in one of the rounds has none at all, and a row of nobody is left out', t => {
  const measured = rounds({ coconet: { rate: 5 }, dgram: { rate: 1 } }, { dgram: { rate: 1 } });

  const { rows } = summarize(measured, run);

  t.deepEqual(
    rows.map(({ name }) => name),
    ['rate'],
  );
  t.is(rows[0]?.cells['coconet'], null);
});

test('a goal is met at its bound, and missed by so much beyond it', t => {
  const contestants = ['coconet', 'coconet-1452', 'dgram'];
  const measured = rounds({
    coconet: { commandP50: 1.15, rate: 5.6 },
    'coconet-1452': { commandP50: 1.38, rate: 3.6 },
    dgram: { commandP50: 1, rate: 1 },
  });

  const result = summarize(measured, { ...run, contestants });

  t.deepEqual(
    result.goals.map(({ row, contestant, met }) => [row, contestant, met]),
    [
      ['commandP50', 'coconet', true],
      ['commandP50', 'coconet-1452', false],
      ['rate', 'coconet', true],
      ['rate', 'coconet-1452', false],
    ],
  );
  const table = tableOf(result);
  t.regex(table, /^ {2}command \+ ack, p50 +coconet +≤ 1\.15 × +1\.15 +met$/m);
  t.regex(table, /^ {2}command \+ ack, p50 +coconet-1452 +≤ 1\.15 × +1\.38 +missed by 20 %$/m);
  t.regex(table, /^ {2}64 in flight, rate +coconet-1452 +≥ 4\.5 × +3\.6 +missed by 20 %$/m);
});

test('the table names who is absent with the reason, and shows no figure for them', t => {
  const absent = [
    { contestant: 'nats', reason: 'nats-server does not start' },
    { contestant: 'coap', work: 'bulk', reason: 'no answer' },
  ];
  const measured = rounds({ dgram: { rate: 250_000 } });

  const table = tableOf(summarize(measured, { ...run, contestants: ['dgram', 'nats', 'coap'], absent }));

  t.regex(table, /^ {2}dgram +1 \(1–1\) +250k \(250k–250k\) 1\/s$/m);
  t.regex(table, /^nats is absent: nats-server does not start$/m);
  t.regex(table, /^coap is absent from bulk: no answer$/m);
  t.notRegex(table, /^ {2}nats/m);
});

test('--only takes contestants and kinds of work, and a peer named there needs no --peers', t => {
  t.like(parseOptions(['--only', 'ws,commands']), { peers: true, contestants: ['ws'], works: ['commands'] });
  t.like(parseOptions(['--only', 'memory']), {
    peers: false,
    contestants: ['coconet', 'coconet-1452', 'dgram', 'tcp', 'tls'],
    works: ['memory'],
  });
  const wrong = parseOptions(['--only', 'carrier-pigeon']);
  t.regex(
    typeof wrong === 'object' && 'wrong' in wrong ? wrong.wrong : '',
    /'carrier-pigeon'; there are coconet,/,
  );
});
