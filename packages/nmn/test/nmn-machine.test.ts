import {
  type Joined,
  type JoinOutcome,
  MemberRuntime,
  MemoryStore,
  seconds,
} from '@coconet/cluster-protocol/core';
import { encodeStun, firstByte } from '@coconet/cluster-protocol/wire';
import test from 'ava';
import fc from 'fast-check';

import { crypto, home } from './support/simulated-home.js';
import { askNmn, resolve } from './support/members.js';
import { startNmn } from './support/simulated-nmn.js';
import { address, at } from './support/surroundings.js';

const joinedOf = (outcome: JoinOutcome): Joined => {
  if (outcome.kind !== 'joined') throw new Error(outcome.text);
  return outcome.joined;
};

test('nothing is answered before the disk has it', async t => {
  const { world, nmn, newUri, joinAt, during } = await home(1);
  const uri = await newUri('lamp');
  nmn.disk.held = true;
  let answered = false;
  const joining = joinAt(world.host({ name: 'lamp' }), uri).then(outcome => {
    answered = true;
    return outcome;
  });

  await world.run(seconds(5));
  const early = answered;
  nmn.disk.release();

  t.false(early);
  t.is((await during(joining)).kind, 'joined');
});

test('with a disk that does not write a join is refused, nothing is left of it, and it works when the disk does', async t => {
  const { world, nmn, newUri, joinAt, during, network } = await home(2);
  const uri = await newUri('lamp');
  const lamp = world.host({ name: 'lamp' });
  nmn.disk.broken = true;

  await t.throwsAsync(during(joinAt(lamp, uri)), {
    code: 'JOIN_REFUSED',
    message: /cannot write to its disk/,
  });
  const [contents] = nmn.disk.all();
  nmn.disk.broken = false;
  const joined = joinedOf(await during(joinAt(lamp, uri)));

  t.is(contents!.invitations[0]!.state.kind, 'open');
  t.is(contents!.members.length, 1);
  t.deepEqual(joined.membership.network, network);
  t.is(nmn.disk.all()[0]!.members.length, 2);
  t.true([...nmn.machine.networks.all()][0]!.ledger.state.complete);
});

test('after a crash the NMN goes on with what it acknowledged, and signs above everything it signed', async t => {
  const { world, nmn, newUri, joinAt, during } = await home(3);
  const uri = await newUri('lamp');
  await during(joinAt(world.host({ name: 'first' }), uri));
  const before = nmn.disk.all()[0]!;
  nmn.host.crash();
  await world.run(seconds(1));
  const again = startNmn(crypto, nmn.host.board.powerOn(), nmn.life);
  const settling = again.machine.settling;

  const joined = joinedOf(await during(joinAt(world.host({ name: 'second' }), uri)));

  t.true(settling);
  t.false(again.machine.settling);
  t.is(joined.membership.nodeId, before.members.find(member => member.claimId.length > 0)!.nodeId);
  await world.run(seconds(4));
  const after = nmn.disk.all()[0]!;
  t.true(after.version > Math.max(...before.records.map(record => record.version)));
});

test('a join that comes while the NMN settles waits and is answered', async t => {
  const { world, nmn, newUri, joinAt, during, owner } = await home(4);
  const uri = await newUri('lamp');
  await during(owner.close());
  nmn.host.crash();
  const again = startNmn(crypto, nmn.host.board.powerOn(), nmn.life);

  const outcome = await during(joinAt(world.host({ name: 'lamp' }), uri));

  t.is(outcome.kind, 'joined');
  t.false(again.machine.settling);
});

test('a member that leaves hears so before its session ends', async t => {
  const { world, nmn, newUri, during } = await home(5);
  const uri = await newUri('lamp');
  const store = new MemoryStore();
  const lamp = await during(
    MemberRuntime.open({ host: world.host({ name: 'lamp' }), store, join: uri, kind: 'device', resolve }),
  );

  const answer = await during(askNmn(lamp, { type: 'leave' }));
  await world.run(seconds(2));

  t.is(answer.type, 'left');
  t.is([...nmn.machine.networks.all()][0]!.ledger.state.member(lamp.node.nodeId), undefined);
});

test('any bytes at all are dropped or answered with no more than they cost', async t => {
  const { nmn } = await home(6);
  const { machine } = nmn;
  const stranger = address('203.0.113.77', 7777);
  const kinds = ['initiation', 'response', 'retry', 'data', 'reset', 'relay', 'refusal'] as const;
  const datagram = fc.oneof(
    fc.uint8Array({ maxLength: 1_500 }),
    fc
      .tuple(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 1_499 }))
      .map(([kind, rest]) => Uint8Array.of(firstByte(kind), ...rest)),
    fc
      .string({ maxLength: 100 })
      .map(software => encodeStun({ kind: 'request', transactionId: new Uint8Array(12), software })),
  );
  let now = Number(nmn.host.now()) + 1_000_000;

  fc.assert(
    fc.property(datagram, bytes => {
      now += 10_000; // Resets are answered once a second and source; every one of these may be.
      machine.handleDatagram(at(now), 1, stranger, bytes.slice());
      let sent = 0;
      for (let out = machine.pollTransmit(at(now)); out; out = machine.pollTransmit(at(now)))
        if (out.remote.key === stranger.key) sent += out.bytes.length;
      return sent <= bytes.length;
    }),
    { numRuns: 500 },
  );
  t.pass();
});
