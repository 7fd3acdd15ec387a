import { encodeStun, decodeStun } from '@coconet/cluster-protocol/wire';
import test from 'ava';
import fc from 'fast-check';

import { StunResponder } from '../../src/stun/stun-responder.js';
import { address } from '../support/surroundings.js';

const transactionId = new Uint8Array(12).fill(7);
const from = address('203.0.113.9', 4711);

test('who asks in a request that is long enough hears where its packets come from', t => {
  const responder = new StunResponder();

  const answer = responder.respond(
    from,
    encodeStun({ kind: 'request', transactionId, software: 'coconet-node-1' }),
  );

  t.true(answer instanceof Uint8Array);
  t.like(decodeStun(answer as Uint8Array), { kind: 'success', transactionId, address: from });
  t.is(responder.answered, 1);
});

test('an answer is never longer than its request, for either family', t => {
  const responder = new StunResponder();
  for (const source of [from, address('2001:db8::1', 9)])
    for (let length = 0; length < 60; length++) {
      const request = encodeStun({ kind: 'request', transactionId, software: 'x'.repeat(length) });
      const answer = responder.respond(source, request);
      if (typeof answer === 'string') t.is(answer, 'wouldAmplify');
      else t.true(answer.length <= request.length);
    }
});

test('an answer is not answered, and no bytes make it throw', t => {
  const responder = new StunResponder();

  t.is(responder.respond(from, encodeStun({ kind: 'success', transactionId, address: from })), 'unexpected');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      responder.respond(from, bytes);
    }),
  );
});
