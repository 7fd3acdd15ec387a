import test from 'ava';
import fc from 'fast-check';

import { parseChildEvent } from '../src/events.js';

test('a line of a child is its event', t => {
  const event = { event: 'presence', online: true } as const;

  t.deepEqual(parseChildEvent(JSON.stringify(event)), event);
});

test('whatever else a process prints is no event', t => {
  fc.assert(fc.property(fc.string(), line => parseChildEvent(line) === undefined));
  t.is(parseChildEvent('null'), undefined);
  t.is(parseChildEvent('{"event":7}'), undefined);
  t.is(parseChildEvent('{"event":"toString"}'), undefined);
});
