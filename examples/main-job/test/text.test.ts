import test from 'ava';

import { showEvent, showPath, showValue } from '../src/text.js';

const shown = (value: unknown, unit?: string): string => showValue({ value, unit });

test('bytes and seconds read as people say them', t => {
  t.is(shown(0, 'B'), '0 B');
  t.is(shown(1_536, 'B'), '1.5 KiB');
  t.is(shown(24_699_170_816, 'B'), '23.0 GiB');
  t.is(shown('18446744073709551615', 'B'), '16777216 TiB');
  t.is(shown(42, 's'), '42 s');
  t.is(shown(192, 's'), '3 min 12 s');
  t.is(shown(7_500, 's'), '2 h 5 min');
  t.is(shown(200_000, 's'), '2 days 7 h');
});

test('whatever else there is has its unit, and what is not known a dash', t => {
  t.is(shown(12.5, '%'), '12.5 %');
  t.is(shown('wifi'), 'wifi');
  t.is(shown(true), 'true');
  t.is(shown(null, '%'), '–');
  t.is(shown(['192.0.2.2', 'fd00::2']), '192.0.2.2, fd00::2');
  t.is(shown([]), 'none');
  t.is(shown([{}, {}]), '2 entries');
  t.is(shown({ a: 1 }), '{"a":1}');
});

test('a path has its kind, its scope and its round-trip time', t => {
  t.is(showPath({ path: 'direct', scope: 'host', rttMs: 0.4, why: '' }), 'direct (host), 0.40 ms');
  t.is(showPath({ path: 'relay', scope: 'internet', rttMs: null, why: '' }), 'relay (internet)');
  t.is(showPath({ path: null, scope: null, rttMs: null, why: '' }), 'no session yet');
});

test('names that others gave cannot steer the terminal', t => {
  const line = showEvent({ event: 'device', name: 'Desk\u001b[2J\n', nodeId: 3 });

  t.is(line, 'device    Desk [2J  (node 3) has joined');
});

test('the last line of a run says what was shown, or why not', t => {
  t.is(
    showEvent({ event: 'done', ok: true, path: 'direct', commandRttMs: 1.234, attributes: 12 }),
    'done      12 attributes over a direct path, command answered in 1.23 ms',
  );
  t.is(showEvent({ event: 'done', ok: false, reason: 'no NMN' }), 'failed    no NMN');
});
