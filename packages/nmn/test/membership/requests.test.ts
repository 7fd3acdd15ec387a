import {
  claimIdOf,
  claimPskOf,
  createNodeKeys,
  randomBytes,
  randomNodeId,
  randomSerial,
  signInvitation,
  signRecord,
  type StateRecord,
  verifyCredential,
  wallTime,
} from '@coconet/cluster-protocol/core';
import test from 'ava';

import { ask, foundHome, type Home, invite, join, joinRequest } from '../support/network.js';
import { on, provider } from '../support/surroundings.js';

const DAY = 86_400_000;

const ownerId = (home: Home): number => home.genesis.ownerCredential.leaf.nodeId;

/** A role that only an owner's signature gives. */
function inviteSigned(home: Home, role: 'admin' | 'owner' | 'guest' = 'admin'): Uint8Array {
  const claim = randomBytes(home.random, 16);
  const claimKey = provider.signingKeyPair(
    provider.blake2b(32, new Uint8Array([...new TextEncoder().encode('coconet claim key v1'), 0, ...claim])),
  ).publicKey;
  const invitation = signInvitation(provider, home.genesis.ownerKeys.signing, {
    network: home.genesis.network,
    nodeId: randomNodeId(home.random),
    claimKey,
    kind: 'device',
    role,
    user: 'Eve',
    issuedAt: on(0),
    notAfter: on(DAY),
    serial: randomSerial(home.random),
  });
  const reply = ask(home, turn =>
    home.requests.createInvitation(turn, on(0), ownerId(home), {
      type: 'createInvitation',
      claimId: claimIdOf(provider, claim),
      claimPsk: claimPskOf(provider, claim),
      name: '',
      grant: { type: 'signed', invitation },
    }),
  );
  if (reply.type !== 'invitationCreated') throw new Error(JSON.stringify(reply));
  return claim;
}

function revocation(home: Home, nodeId: number, order = 1e15): StateRecord {
  const { leaf } = home.ledger.state.member(nodeId)!.credential;
  return signRecord(provider, home.genesis.ownerKeys.signing, {
    network: home.genesis.network,
    order: { authorityNumber: 1, version: order },
    issuedAt: on(1),
    content: {
      kind: 'revocation',
      serial: leaf.serial,
      nodeId,
      signingKey: leaf.signingKey,
      staticKey: leaf.staticKey,
      at: on(1),
      invitationsUntil: on(1),
      withdrawn: false,
      reason: 'stolen',
    },
  });
}

test('a founded network has its owner, a secret and a complete head', t => {
  const { ledger, genesis } = foundHome();

  t.deepEqual(
    ledger.state
      .members()
      .map(member => member.name)
      .sort(),
    ['Ada', 'NMN'],
  );
  t.is(ledger.state.member(genesis.ownerCredential.leaf.nodeId)?.credential.leaf.role, 'owner');
  t.is(ledger.secrets.epoch, 1);
  t.is(ledger.state.currentEpoch, 1);
  t.true(ledger.state.complete);
});

test('a node with a claim becomes a member whose certificate verifies', t => {
  const home = foundHome();
  const keys = createNodeKeys(provider, home.random);

  const reply = join(home, invite(home), { keys });

  t.is(reply.type, 'joined');
  if (reply.type !== 'joined') return;
  t.is(reply.name, 'lamp');
  t.like(reply, { epoch: 1, rootKey: home.genesis.root.publicKey });
  const verified = verifyCredential(
    provider,
    reply.credential,
    home.ledger.state.trust(home.ledger.time(on(0))),
    {
      nodeId: reply.nodeId,
      staticKey: keys.static.publicKey,
    },
  );
  t.true(verified.ok);
  t.is(reply.credential.leaf.notAfter - reply.credential.leaf.notBefore, 180 * DAY);
  t.true(home.ledger.state.complete);
  t.deepEqual(
    reply.turn.changes.map(change => change.kind),
    ['invitation', 'member', 'record', 'head', 'counter'],
  );
});

test('a join whose answer was lost is answered with the same certificate and writes nothing', t => {
  const home = foundHome();
  const keys = createNodeKeys(provider, home.random);
  const claim = invite(home);
  const first = join(home, claim, { keys });

  const again = join(home, claim, { keys });

  t.is(again.type, 'joined');
  t.deepEqual(
    first.type === 'joined' && again.type === 'joined' && again.credential,
    first.type === 'joined' && first.credential,
  );
  t.true(again.turn.empty);
});

test('another node with the same claim, or the same node with another claim, is refused', t => {
  const home = foundHome();
  const keys = createNodeKeys(provider, home.random);
  const claim = invite(home);
  join(home, claim, { keys });

  t.like(join(home, claim), { type: 'error', code: 'claimUsed' });
  t.like(join(home, invite(home), { keys }), { type: 'error', code: 'alreadyMember' });
});

test('wrong claims, kinds and names are told apart and leave the invitation as it was', t => {
  const home = foundHome();
  const claim = invite(home);
  const keys = createNodeKeys(provider, home.random);
  const joiner = { claimId: claimIdOf(provider, claim), staticKey: keys.static.publicKey };
  const asClient = ask(home, turn =>
    home.requests.join(turn, on(0), joiner, { ...joinRequest(home, claim, keys), kind: 'client' }),
  );

  t.like(join(home, randomBytes(home.random, 16)), { type: 'error', code: 'claimUnknown' });
  t.like(asClient, { type: 'error', code: 'invalid', field: 'kind' });
  t.like(join(home, claim, { name: 'a/b' }), { type: 'error', code: 'invalid', field: 'name' });
  t.like(join(home, claim, { wall: on(3_600_001) }), { type: 'error', code: 'claimExpired' });
  t.is(join(home, claim).type, 'joined');
});

test('the name comes from the node, else from the invitation, else from its kind', t => {
  const home = foundHome();
  const named = join(home, invite(home, { name: 'Hall' }), { name: '' });
  const unnamed = join(home, invite(home), { name: '' });

  t.is(named.type === 'joined' && named.name, 'Hall');
  t.regex(unnamed.type === 'joined' ? unnamed.name : '', /^device \d+$/);
});

test('an owner’s signed invitation makes an admin, which the NMN alone cannot', t => {
  const home = foundHome();
  const reply = join(home, inviteSigned(home));

  t.is(reply.type, 'joined');
  if (reply.type !== 'joined') return;
  t.is(home.ledger.state.member(reply.nodeId)?.credential.leaf.role, 'admin');
});

test('five wrong proofs on a signed invitation end it', t => {
  const home = foundHome();
  const claim = inviteSigned(home);
  const keys = createNodeKeys(provider, home.random);
  const wrong = { ...joinRequest(home, claim, keys), claimSignature: randomBytes(home.random, 64) };
  const joiner = { claimId: claimIdOf(provider, claim), staticKey: keys.static.publicKey };

  for (let i = 0; i < 5; i++) ask(home, turn => home.requests.join(turn, on(0), joiner, wrong));

  t.like(join(home, claim, { keys }), { type: 'error', code: 'claimKilled' });
});

test('only owners and admins invite, and nobody invites what the NMN may not give', t => {
  const home = foundHome();
  const lamp = join(home, invite(home));
  if (lamp.type !== 'joined') throw new Error();
  const request = (kind: 'device' | 'nmn', expiresAt = on(1_000)) => ({
    type: 'createInvitation' as const,
    claimId: randomBytes(home.random, 16),
    claimPsk: randomBytes(home.random, 32),
    name: '',
    grant: { type: 'plain' as const, kind, role: 'none' as const, user: '', expiresAt },
  });
  const create = (by: number, wanted: ReturnType<typeof request>) =>
    ask(home, turn => home.requests.createInvitation(turn, on(0), by, wanted));

  t.like(create(lamp.nodeId, request('device')), { type: 'error', code: 'notPermitted' });
  t.like(create(ownerId(home), request('nmn')), { type: 'error', code: 'invalid', field: 'kind' });
  t.like(create(ownerId(home), request('device', on(-1))), { type: 'error', field: 'expiresAt' });
  t.like(create(ownerId(home), request('device', on(8 * DAY))), { type: 'error', field: 'expiresAt' });
});

test('an invitation asked for twice is made once; the same claim of somebody else is refused', t => {
  const home = foundHome();
  const claim = invite(home);
  const again = (claimPsk: Uint8Array) =>
    ask(home, turn =>
      home.requests.createInvitation(turn, on(0), ownerId(home), {
        type: 'createInvitation',
        claimId: claimIdOf(provider, claim),
        claimPsk,
        name: '',
        grant: { type: 'plain', kind: 'device', role: 'none', user: '', expiresAt: on(1_000) },
      }),
    );

  const same = again(claimPskOf(provider, claim));

  t.is(same.type, 'invitationCreated');
  t.true(same.turn.empty);
  t.like(again(randomBytes(home.random, 32)), { type: 'error', field: 'claimId' });
});

test('open invitations are bounded', t => {
  const home = foundHome({ config: { openInvitations: 2 } });
  invite(home);
  invite(home);

  t.throws(() => invite(home), { message: /limitReached/ });
});

test('a revocation cuts the node off, changes the secret and is signed into the head', t => {
  const home = foundHome();
  const lamp = join(home, invite(home));
  if (lamp.type !== 'joined') throw new Error();
  const keys = lamp.credential.leaf;

  const reply = ask(home, turn =>
    home.requests.revoke(turn, on(2), ownerId(home), revocation(home, lamp.nodeId)),
  );

  t.is(reply.type, 'revoked');
  t.is(home.ledger.state.member(lamp.nodeId), undefined);
  t.true(home.ledger.state.isRevoked(keys));
  t.is(home.ledger.secrets.epoch, 2);
  t.true(home.ledger.state.complete);
  t.true(reply.turn.events.some(event => event.kind === 'revoked'));
  t.deepEqual(home.requests.secret(lamp.nodeId).type, 'error');
});

test('a revocation told twice changes nothing the second time', t => {
  const home = foundHome();
  const lamp = join(home, invite(home));
  if (lamp.type !== 'joined') throw new Error();
  const record = revocation(home, lamp.nodeId);
  ask(home, turn => home.requests.revoke(turn, on(2), ownerId(home), record));

  const again = ask(home, turn => home.requests.revoke(turn, on(3), ownerId(home), record));

  t.is(again.type, 'revoked');
  t.true(again.turn.empty);
});

test('the keys of a revoked node are not admitted again', t => {
  const home = foundHome();
  const keys = createNodeKeys(provider, home.random);
  const lamp = join(home, invite(home), { keys });
  if (lamp.type !== 'joined') throw new Error();
  ask(home, turn => home.requests.revoke(turn, on(2), ownerId(home), revocation(home, lamp.nodeId)));

  t.like(join(home, invite(home), { keys }), { type: 'error', code: 'notPermitted' });
});

test('a member leaves and is gone; an owner cannot', t => {
  const home = foundHome();
  const lamp = join(home, invite(home));
  if (lamp.type !== 'joined') throw new Error();

  t.is(ask(home, turn => home.requests.leave(turn, on(1), lamp.nodeId)).type, 'left');
  t.is(home.ledger.state.member(lamp.nodeId), undefined);
  t.like(
    ask(home, turn => home.requests.leave(turn, on(1), ownerId(home))),
    { type: 'error', code: 'notPermitted' },
  );
});

test('a renewed certificate has a new life and the same keys; asking again at once gives the same one', t => {
  const home = foundHome();
  const lamp = join(home, invite(home));
  if (lamp.type !== 'joined') throw new Error();
  const renew = (wall: number) => {
    const reply = ask(home, turn => home.requests.renew(turn, on(wall), lamp.nodeId));
    if (reply.type !== 'renewed') throw new Error(JSON.stringify(reply));
    return reply;
  };

  const early = renew(1_000);
  const late = renew(120 * DAY);

  t.deepEqual(early.credential, lamp.credential);
  t.true(early.turn.empty);
  t.is(late.credential.leaf.notAfter, wallTime(on(120 * DAY) + 180 * DAY));
  t.deepEqual(late.credential.leaf.staticKey, lamp.credential.leaf.staticKey);
  t.not(late.credential.leaf.serial, lamp.credential.leaf.serial);
  t.is(home.ledger.state.member(lamp.nodeId)?.name, 'lamp');
});

test('an admin’s renewed certificate keeps its role and its proof', t => {
  const home = foundHome();
  const admin = join(home, inviteSigned(home));
  if (admin.type !== 'joined') throw new Error(JSON.stringify(admin));

  const reply = ask(home, turn => home.requests.renew(turn, on(120 * DAY), admin.nodeId));

  t.is(reply.type, 'renewed');
  t.is(home.ledger.state.member(admin.nodeId)?.credential.leaf.role, 'admin');
});

test('no version is signed twice by everything a network does', t => {
  const home = foundHome();
  for (let i = 0; i < 20; i++) {
    const node = join(home, invite(home), { name: `n${i}` });
    if (node.type !== 'joined') throw new Error();
    if (i % 3 === 0) ask(home, turn => home.requests.leave(turn, on(i), node.nodeId));
  }

  const versions = home.written.flatMap(change => (change.kind === 'record' ? [change.record.version] : []));

  t.is(new Set(versions).size, versions.length);
});

test('a member that a restored backup has forgotten comes back from its peers, and its claim is spent', t => {
  const before = foundHome();
  const claim = invite(before);
  const lamp = join(before, claim);
  if (lamp.type !== 'joined') throw new Error();
  const restored = foundHome(); // The same seed: the same network, as it was before.
  const spent = invite(restored);
  const turn = restored.ledger.state.apply(before.ledger.state.records());
  const merged = ask(restored, t2 => {
    restored.ledger.merge(t2, turn.applied, turn.events);
    restored.ledger.conclude(t2, on(1));
    return { type: 'left' };
  });

  t.is(restored.ledger.state.member(lamp.nodeId)?.name, 'lamp');
  t.deepEqual(spent, claim, 'the backup holds the very invitation');
  t.like(join(restored, spent), { type: 'error', code: 'claimKilled' });
  t.true(merged.turn.changes.some(change => change.kind === 'invitation'));
  t.true(restored.ledger.state.complete);
});
