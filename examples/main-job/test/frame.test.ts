import test from 'ava';
import fc from 'fast-check';

import { frame } from '../src/frame.js';
import { Picture } from '../src/picture.js';

function picture(values = 12): Picture {
  const made = new Picture();
  made.apply({ event: 'nmn', port: 47_600, network: 'abc', folder: '/tmp/x' });
  made.apply({ event: 'device', name: 'Computer', nodeId: 7 });
  made.apply({ event: 'presence', online: true });
  made.apply({ event: 'path', path: 'direct', scope: 'host', rttMs: 0.4, why: 'both run on this machine' });
  made.apply({ event: 'command', line: 'Computer/beacon onOff.toggle', rttMs: 1.1, path: 'direct' });
  made.apply({ event: 'beacon', on: true, identifying: false });
  made.apply({
    event: 'values',
    values: Array.from({ length: values }, (_, index) => ({
      address: 'Computer/system',
      capability: 'diagnostics',
      attribute: `value${index}`,
      value: index,
      unit: '%',
    })),
  });
  made.apply({ event: 'try', line: 'npx coconet nodes --store /tmp/x', says: 'who is there' });
  made.apply({ event: 'notice', text: 'the NMN is away' });
  return made;
}

test('a large terminal shows everything', t => {
  const text = frame(picture(), 100, 40).join('\n');

  for (const part of [
    '127.0.0.1:47600',
    'Computer, there',
    'direct (host), 0.40 ms',
    'both run on this machine',
    'onOff.toggle answered in 1.10 ms',
    '● on',
    'value11',
    'npx coconet nodes --store /tmp/x',
    'the NMN is away',
  ])
    t.true(text.includes(part), part);
});

test('before anything is there the table says what is waited for', t => {
  const text = frame(new Picture(), 80, 24).join('\n');

  t.regex(text, /NMN +starting/);
  t.regex(text, /device +joining/);
  t.regex(text, /path +none yet/);
});

test('a small terminal leaves values out and says how many', t => {
  const lines = frame(picture(30), 80, 24);

  t.true(lines.length <= 23);
  t.true(lines.some(line => /… and \d+ more/.test(line)));
  t.true(lines.some(line => line.includes('npx coconet nodes')));
});

test('nothing but lines to be copied is wider than the terminal', t => {
  const visible = (line: string): string => line.replace(/\u001b\[[0-9;]*m/g, '');

  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 60 }), (columns, rows) => {
      const lines = frame(picture(), columns, rows).map(visible);
      return lines.every(line => line.length <= columns || line.trimStart().startsWith('npx '));
    }),
  );
  t.pass();
});
