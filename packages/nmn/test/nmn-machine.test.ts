import {
  type Joined,
  type JoinOutcome,
  createNodeKeys,
  joinNetwork,
  MemberRuntime,
  MemoryStore,
  milliseconds,
  parseJoinUri,
  seconds,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { type SimulatedHost, SimulatedWorld } from '@coconet/cluster-protocol/testing';
import { encodeStun, firstByte } from '@coconet/cluster-protocol/wire';
import test from 'ava';
import fc from 'fast-check';

import {
  ask,
  foundNetwork,
  invite,
  NMN_PORT,
  type NmnLife,
  resolve,
  startNmn,
} from './support/simulated-nmn.js';
import { address, at } from './support/surroundings.js';

const crypto = await createCryptoProvider();
const yieldTurn = (): Promise<void> => new Promise(setImmediate);

async function home(seed: number, life: NmnLife = {}) {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn });
  const staticKey = crypto.dhKeyPair(new Uint8Array(32).fill(seed));
  const board = world.host({ name: 'nmn' });
  const nmn = startNmn(crypto, board, { ...life, staticKey });
  const during = async <T>(promise: Promise<T>, limit = 30_000): Promise<T> => {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await world.until(() => settled, milliseconds(limit), 'the promise');
    return promise;
  };
  const { owner, network } = await during(foundNetwork(nmn, world.host({ name: 'owner' })));
  const newUri = (name: string): Promise<string> => during(invite(nmn, owner, network, 'device', name));
  const keys = createNodeKeys(crypto, world.random);
  const joinAt = (host: SimulatedHost, uri: string): Promise<JoinOutcome> =>
    joinNetwork(host, parseJoinUri(uri), [nmn.host.address(NMN_PORT)], keys, { kind: 'device', name: '' });
  return { world, nmn, owner, network, during, newUri, joinAt, staticKey };
}

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
  const { world, nmn, newUri, joinAt, during, staticKey } = await home(3);
  const uri = await newUri('lamp');
  await during(joinAt(world.host({ name: 'first' }), uri));
  const before = nmn.disk.all()[0]!;
  nmn.host.crash();
  await world.run(seconds(1));
  const again = startNmn(crypto, nmn.host.board.powerOn(), { disk: nmn.disk, staticKey });
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
  const { world, nmn, newUri, joinAt, during, staticKey, owner } = await home(4);
  const uri = await newUri('lamp');
  await during(owner.close());
  nmn.host.crash();
  const again = startNmn(crypto, nmn.host.board.powerOn(), { disk: nmn.disk, staticKey });

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

  const answer = await during(ask(lamp, { type: 'leave' }));
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
