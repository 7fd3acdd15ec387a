import test from 'ava';
import { instant } from '@coconet/cluster-protocol/core';

import { CommandCalls, type Outcome } from '../../src/command-call.js';

const [DEVICE, THIEF] = [7, 8];

test('T22: another member that answers the request ids 0 to 100,000 of a device settles nothing', t => {
  const calls = new CommandCalls({
    withdraw: () => undefined,
    received: () => undefined,
    sendCancel: () => undefined,
  });
  const settled: Outcome[] = [];
  for (let i = 0; i < 64; i++)
    calls.start({
      peer: DEVICE,
      sequence: 1_000 + i,
      requestId: i % 2 === 0 ? 40_000 + i : undefined,
      once: false,
      deadline: undefined,
      connected: true,
      settle: outcome => settled.push(outcome),
    });
  const incarnation = new Uint8Array(8);

  let taken = 0;
  for (let id = 0; id <= 100_000; id++) {
    if (calls.handleAnswer(instant(1), THIEF, id, { code: 'success', answered: true })) taken++;
    calls.handleStatus(instant(1), THIEF, { type: 'status', incarnation, sequence: id, code: 'success' });
  }
  const stolen = settled.length;
  calls.handleAnswer(instant(2), DEVICE, 40_000, { code: 'success', answered: true });

  t.is(taken, 0);
  t.is(stolen, 0);
  t.is(settled.length, 1, 'the device itself is heard');
});
