import {
  type CallEvent,
  claimIdOf,
  claimPskOf,
  createNodeKeys,
  type JoinUri,
  joinNetwork,
  milliseconds,
  NmnCall,
  parseJoinUri,
  randomBytes,
  RefusalCode,
  seconds,
  toHex,
} from '@coconet/cluster-protocol/core';
import type { SimulatedHost } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import { crypto, home } from '../support/simulated-home.js';
import { NMN_PORT, startNmn } from '../support/simulated-nmn.js';

type Home = Awaited<ReturnType<typeof home>>;

/** A handshake that names what it likes and proves what it has; how it ended. */
async function call(
  { nmn, during }: Home,
  host: SimulatedHost,
  wanted: { readonly network: Uint8Array; readonly claimId: Uint8Array; readonly psk: Uint8Array },
): Promise<CallEvent> {
  const machine = new NmnCall({
    provider: crypto,
    random: host.random,
    now: host.now(),
    staticKey: createNodeKeys(crypto, host.random).static,
    nmnStaticKey: nmn.staticKey,
    addresses: [nmn.host.address(NMN_PORT)],
    patience: seconds(2),
    ...wanted,
  });
  let heard: (event: CallEvent) => void = () => undefined;
  const first = new Promise<CallEvent>(resolve => {
    heard = resolve;
  });
  const running = await host.run(machine, {}, event => heard(event));
  const event = await during(first);
  await running.close();
  return event;
}

/** Somebody who knows the name of a claim and not the claim. */
const prove = (town: Home, host: SimulatedHost, uri: JoinUri): Promise<CallEvent> =>
  call(town, host, {
    network: uri.network,
    claimId: claimIdOf(crypto, uri.claim),
    psk: randomBytes(host.random, 32),
  });

const invitationOf = ({ nmn }: Home, uri: JoinUri) =>
  nmn.disk
    .all()[0]!
    .invitations.find(({ claimId }) => toHex(claimId) === toHex(claimIdOf(crypto, uri.claim)));

/** An answer that nobody proves is given up after 10 s. */
const PENDING = seconds(11);

test('five handshakes that name a claim and prove nothing end it, through a restart of the NMN as well', async t => {
  const town = await home(21);
  const { world, nmn, newUri, joinAt, during } = town;
  const text = await newUri('lamp');
  const uri = parseJoinUri(text);
  const stranger = world.host({ name: 'stranger' });
  for (let i = 0; i < 3; i++) await prove(town, stranger, uri);
  await world.run(PENDING);
  const before = invitationOf(town, uri);
  nmn.host.crash();
  startNmn(crypto, nmn.host.board.powerOn(), nmn.life);
  await world.run(seconds(5));

  const fourth = await prove(town, stranger, uri);
  await world.run(PENDING);
  const open = invitationOf(town, uri);
  await prove(town, stranger, uri);
  await world.run(PENDING);

  t.like(before, { wrongProofs: 3, state: { kind: 'open' } });
  t.like(fourth, { kind: 'failed', reason: 'unreachable' });
  t.like(open, { wrongProofs: 4, state: { kind: 'open' } });
  t.like(invitationOf(town, uri), { wrongProofs: 5, state: { kind: 'killed' } });
  await t.throwsAsync(during(joinAt(world.host({ name: 'lamp' }), text)), {
    code: 'JOIN_REFUSED',
    message: /does not know this invitation/,
  });
});

test('whoever cannot name a claim ends none, and is told the same whatever it guesses', async t => {
  const town = await home(22);
  const { world, newUri, joinAt, during } = town;
  const text = await newUri('lamp');
  const uri = parseJoinUri(text);
  const right = claimIdOf(crypto, uri.claim);
  const stranger = world.host({ name: 'stranger' });
  const near = Array.from({ length: 15 }, (_, i) => right.map((byte, at) => (at > i ? byte ^ 0xff : byte)));
  const far = Array.from({ length: 15 }, () => randomBytes(stranger.random, 16));

  const answers: CallEvent[] = [];
  for (const claimId of [...near, ...far])
    answers.push(await call(town, stranger, { network: uri.network, claimId, psk: new Uint8Array(32) }));
  await world.run(PENDING);

  const alike = { kind: 'failed', reason: 'refused', code: RefusalCode.claimUnknown, text: 'claimUnknown' };
  for (const answer of answers) t.deepEqual(answer, alike);
  t.like(invitationOf(town, uri), { wrongProofs: 0, state: { kind: 'open' } });
  t.is((await during(joinAt(world.host({ name: 'lamp' }), text))).kind, 'joined');
});

test('a joiner whose answers were lost joins when they come through', async t => {
  const town = await home(23);
  const { world, newUri, joinAt, during } = town;
  const text = await newUri('lamp');
  const lamp = world.host({ name: 'lamp' });
  // Questions and retries pass, answers do not.
  lamp.board.setConditions({ mtu: 300 });
  const stranger = world.host({ name: 'stranger' });
  await prove(town, stranger, parseJoinUri(text));
  const lost = await during(joinAt(lamp, text));
  lamp.board.setConditions({ mtu: 1_500 });

  const outcome = await during(joinAt(lamp, text));

  t.is(lost.kind, 'unreachable');
  t.is(outcome.kind, 'joined');
  t.is(invitationOf(town, parseJoinUri(text))?.state.kind, 'bound');
});

test('wrong proofs take no claim from the node that it belongs to', async t => {
  const town = await home(24);
  const { world, newUri, joinAt, during } = town;
  const text = await newUri('lamp');
  const lamp = world.host({ name: 'lamp' });
  await during(joinAt(lamp, text));
  const stranger = world.host({ name: 'stranger' });

  const answers: CallEvent[] = [];
  for (let i = 0; i < 6; i++) answers.push(await prove(town, stranger, parseJoinUri(text)));
  await world.run(PENDING);

  for (const answer of answers) t.like(answer, { reason: 'refused', code: RefusalCode.claimUsed });
  t.is((await during(joinAt(lamp, text))).kind, 'joined');
});

test('of fifty nodes that use one claim at once, one becomes a member and all others are told why not', async t => {
  const { world, nmn, newUri, during } = await home(25);
  const uri = parseJoinUri(await newUri('lamp'));
  const wish = { kind: 'device', name: '' } as const;

  const outcomes = await during(
    Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => {
        const host = world.host({ name: `node ${i}` });
        host.board.setConditions({ delay: milliseconds(i % 7), jitter: milliseconds(5) });
        const keys = createNodeKeys(crypto, host.random);
        return joinNetwork(host, uri, [nmn.host.address(NMN_PORT)], keys, wish);
      }),
    ),
  );

  const joined = outcomes.filter(({ status }) => status === 'fulfilled');
  const reasons = outcomes.flatMap(each => (each.status === 'rejected' ? [each.reason as Error] : []));
  t.is(joined.length, 1);
  t.true(reasons.every(({ message }) => message.includes('used by another node')));
  t.is(nmn.disk.all()[0]!.members.length, 2);
});

test('of the guesses of one source a hundred at most are looked at in any minute', async t => {
  const town = await home(26);
  const { world, network, newUri } = town;
  await newUri('lamp');
  const stranger = world.host({ name: 'stranger' });
  const guess = (): Promise<CallEvent> =>
    call(town, stranger, { network, claimId: randomBytes(stranger.random, 16), psk: new Uint8Array(32) });
  const began = stranger.now();

  const answers: CallEvent[] = [];
  for (let i = 0; i < 400; i++) answers.push(await guess());
  const minutes = (stranger.now() - began) / 60_000;

  const codes = answers.map(answer =>
    answer.kind === 'failed' && answer.reason === 'refused' ? answer.code : 0,
  );
  const looked = codes.filter(code => code === RefusalCode.claimUnknown).length;
  t.true(minutes < 1 && looked >= 60 && looked <= 100, `${looked} in ${minutes} minutes`);
  t.is(codes.filter(code => code === RefusalCode.tooManyAttempts).length, 400 - looked);
});

test('five calls that name an operator token and prove nothing end it', async t => {
  const town = await home(27);
  const { world, nmn, during } = town;
  const token = await during(
    new Promise<Uint8Array | undefined>(resolve => {
      nmn.machine.createOperatorToken(resolve);
      nmn.turn();
    }),
  );
  const named = { network: new Uint8Array(16), claimId: claimIdOf(crypto, token!) };
  const stranger = world.host({ name: 'stranger' });

  for (let i = 0; i < 5; i++) await call(town, stranger, { ...named, psk: randomBytes(stranger.random, 32) });
  await world.run(PENDING);

  t.like(await call(town, stranger, { ...named, psk: claimPskOf(crypto, token!) }), {
    reason: 'refused',
    code: RefusalCode.claimUnknown,
  });
  t.is(nmn.disk.tokens.size, 0);
});
