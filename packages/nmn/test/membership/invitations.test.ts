import { claimIdOf, claimPskOf, randomBytes, wallTime } from '@coconet/cluster-protocol/core';
import { SeededRandom } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import type { Invitation } from '../../src/membership/invitation.js';
import { Invitations, MAX_WRONG_PROOFS } from '../../src/membership/invitations.js';
import { on, provider } from '../support/surroundings.js';

const random = new SeededRandom(7);
const claim = randomBytes(random, 16);
const claimId = claimIdOf(provider, claim);
const mine = { signingKey: randomBytes(random, 32), staticKey: randomBytes(random, 32) };
const theirs = { signingKey: randomBytes(random, 32), staticKey: randomBytes(random, 32) };

const invitation = (changes: Partial<Invitation> = {}): Invitation => ({
  claimId,
  claimPsk: claimPskOf(provider, claim),
  nodeId: 17,
  kind: 'device',
  role: 'none',
  name: '',
  user: '',
  certificate: new Uint8Array(0),
  inviter: 1,
  createdAt: on(0),
  expiresAt: on(60_000),
  wrongProofs: 0,
  state: { kind: 'open' },
  ...changes,
});

const book = (changes: Partial<Invitation> = {}): Invitations =>
  new Invitations(provider, random, 3, [invitation(changes)]);

test('the first keys that use a claim own it; they may repeat, nobody else gets anything', t => {
  const invitations = book();

  const first = invitations.use(on(1), claimId, mine, true);
  const again = invitations.use(on(2), claimId, mine, true);
  const other = invitations.use(on(3), claimId, theirs, true);
  const mixed = invitations.use(on(3), claimId, { ...mine, signingKey: theirs.signingKey }, true);

  t.true(first.ok);
  t.is(first.changed?.state.kind, 'bound');
  t.true(again.ok);
  t.is(again.changed, undefined, 'nothing new to keep');
  t.like(other, { ok: false, code: 'claimUsed', changed: undefined });
  t.like(mixed, { ok: false, code: 'claimUsed' });
});

test('of fifty clients with one claim, one gets in', t => {
  const invitations = book();

  const admitted = Array.from({ length: 50 }, () =>
    invitations.use(
      on(1),
      claimId,
      { signingKey: randomBytes(random, 32), staticKey: randomBytes(random, 32) },
      true,
    ),
  ).filter(outcome => outcome.ok);

  t.is(admitted.length, 1);
});

test('a node that has its certificate cannot repeat its claim', t => {
  const invitations = book();
  invitations.use(on(1), claimId, mine, true);

  t.is(invitations.complete(17)?.state.kind, 'used');
  t.is(invitations.complete(17), undefined);
  t.like(invitations.use(on(2), claimId, mine, true), { ok: false, code: 'claimUsed' });
});

test('an expired claim is refused, but a node that used it in time may still repeat', t => {
  const expired = book();
  const inTime = book();
  inTime.use(on(60_000), claimId, mine, true);

  t.like(expired.use(on(60_001), claimId, mine, true), { ok: false, code: 'claimExpired' });
  t.true(inTime.use(on(90_000), claimId, mine, true).ok);
});

test('five wrong proofs end an invitation, and the right one then does not help', t => {
  const invitations = book();

  const codes = Array.from({ length: MAX_WRONG_PROOFS }, () => {
    const outcome = invitations.use(on(1), claimId, theirs, false);
    return outcome.ok ? 'ok' : outcome.code;
  });

  t.deepEqual(codes, ['claimUnknown', 'claimUnknown', 'claimUnknown', 'claimUnknown', 'claimKilled']);
  t.like(invitations.use(on(1), claimId, mine, true), { ok: false, code: 'claimKilled' });
  t.is(invitations.get(claimId)?.wrongProofs, 5);
});

test('wrong proofs of a stranger do not take a claim from the node that owns it', t => {
  const invitations = book();
  invitations.use(on(1), claimId, mine, true);

  for (let i = 0; i < 10; i++) invitations.use(on(1), claimId, theirs, false);

  t.true(invitations.use(on(2), claimId, mine, true).ok);
});

test('a million guessed claims find nothing', t => {
  const invitations = book();
  let found = 0;

  for (let i = 0; i < 1_000_000; i++)
    if (typeof invitations.pskFor(on(1), randomBytes(random, 16), mine.staticKey) !== 'string') found++;

  t.is(found, 0);
});

test('the handshake of another key than the bound one gets no pre-shared key', t => {
  const invitations = book();
  invitations.use(on(1), claimId, mine, true);

  t.deepEqual(invitations.pskFor(on(1), claimId, mine.staticKey), claimPskOf(provider, claim));
  t.is(invitations.pskFor(on(1), claimId, theirs.staticKey), 'claimUsed');
});

test('so many wait at once and no more, expired ones not counted', t => {
  const invitations = new Invitations(provider, random, 2);
  const add = (expiresAt: number, now = 0): string =>
    invitations.add(on(now), invitation({ claimId: randomBytes(random, 16), expiresAt: on(expiresAt) }));

  t.deepEqual([add(10), add(1_000), add(1_000), add(1_000, 11)], ['added', 'added', 'tooMany', 'added']);
  t.is(invitations.add(on(2_000), invitation({ claimId: invitations.list()[0]!.claimId })), 'claimTaken');
});

test('an invitation whose node is a member already is ended', t => {
  const invitations = book();

  t.is(invitations.endIfOpen(99), undefined);
  t.is(invitations.endIfOpen(17)?.state.kind, 'killed');
  t.like(invitations.use(on(1), claimId, mine, true), { ok: false, code: 'claimKilled' });
});

test('what nobody can use is forgotten after a month', t => {
  const invitations = book();

  t.deepEqual(invitations.removeExpired(on(60_000)), []);
  t.deepEqual(invitations.removeExpired(wallTime(on(60_000) + 30 * 86_400_000)), [claimId]);
  t.like(invitations.use(on(1), claimId, mine, true), { ok: false, code: 'claimUnknown' });
});
