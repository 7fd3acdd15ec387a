import test from 'ava';

import { jsonOutput, terminalOutput } from '../src/output.js';

test('for programs each announcement is one line of JSON, and blinking is none', t => {
  const written: string[] = [];
  const output = jsonOutput(text => written.push(text));

  output.announce({ event: 'ready', name: 'Desk', nodeId: 17, network: '00' });
  output.announce({ event: 'beacon', on: true, identifying: false });
  output.draw({ on: true, identifying: true, lit: false, beep: false });

  t.deepEqual(written, [
    '{"event":"ready","name":"Desk","nodeId":17,"network":"00"}\n',
    '{"event":"beacon","on":true,"identifying":false}\n',
  ]);
});

test('on a terminal the beacon is one line that is drawn again', t => {
  const written: string[] = [];
  const output = terminalOutput(text => written.push(text));

  output.draw({ on: true, identifying: false, lit: true, beep: false });
  output.announce({ event: 'notice', text: 'the NMN is away\u001b[2J' });

  t.is(written[0], '\r\u001b[2K\u001b[1;33m●\u001b[0m beacon on');
  t.is(written[1], `\r\u001b[2Kthe NMN is away [2J\n${written[0]?.replace('\r\u001b[2K', '') ?? ''}`);
});

test('it beeps only when that is the effect', t => {
  const written: string[] = [];
  const output = terminalOutput(text => written.push(text));
  const picture = { on: false, identifying: true, lit: true };

  output.draw({ ...picture, beep: false });
  output.draw({ ...picture, beep: true });

  t.deepEqual(
    written.map(text => text.endsWith('\u0007')),
    [false, true],
  );
});
