import test from 'ava';
import { encodeText, milliseconds, seconds } from '../../src/base/index.js';
import { dataKeyPhase, packetKind } from '../../src/wire/index.js';
import { crypto } from '../threats/household.js';
import { Meeting } from '../threats/meeting.js';
import { EndpointMachine } from './endpoint-machine.js';

const DELAY = milliseconds(40);

/** What a machine received as messages, by sequence. */
const heard = (machine: EndpointMachine): number[] =>
  machine.events.flatMap(event =>
    event.kind === 'session' && event.event.kind === 'message' ? [event.event.sequence] : [],
  );

/** What a machine knows to have arrived. */
const acknowledged = (machine: EndpointMachine): number[] =>
  machine.events.flatMap(event =>
    event.kind === 'session' && event.event.kind === 'messageAcknowledged' ? [event.event.sequence] : [],
  );

function say(meeting: Meeting, sequences: readonly number[], floor = sequences[0]!): void {
  const { left, right, a } = meeting;
  const handle = left.endpoint.sessionWith(right.keys.publicKey)!;
  for (const sequence of sequences)
    left.endpoint
      .open(handle)!
      .sendMessage(a.now(), { sequence, floor, service: 9, bytes: encodeText(`message ${sequence}`) });
  meeting.turn();
}

/** Two endpoints, 40 ms apart, whose session has changed its keys. */
function rekeyed(seed: number): Meeting {
  const meeting = new Meeting(seed);
  for (const host of [meeting.a, meeting.b]) host.board.setConditions({ delay: DELAY });
  meeting.dial();
  meeting.world.runNow(seconds(1));
  const handle = meeting.left.endpoint.sessionWith(meeting.right.keys.publicKey)!;
  meeting.left.endpoint.open(handle)!.rekey(meeting.a.now());
  meeting.turn();
  meeting.world.runNow(seconds(5));
  return meeting;
}

test('two endpoints change the keys of their session, with the keys that their handshake left', t => {
  const meeting = rekeyed(1);
  const { left, right, world } = meeting;

  say(meeting, [1, 2]);
  world.runNow(seconds(1));

  t.deepEqual(heard(right), [1, 2]);
  for (const machine of [left, right]) {
    const last = machine.sent.at(-1)!.bytes;
    t.is(packetKind(last[0]!), 'data');
    t.is(dataKeyPhase(last), 1);
    t.is(machine.drops.get('badTag'), 0);
  }
});

test('who lost its state is found out within a round trip of the first packet, also after a change of keys', t => {
  const meeting = rekeyed(2);
  const { left, right, a, b, world } = meeting;
  say(meeting, [1, 2]);
  world.runNow(seconds(1));
  t.deepEqual(acknowledged(left).sort(), [1, 2]);

  const handle = left.endpoint.sessionWith(right.keys.publicKey)!;
  const session = left.endpoint.open(handle)!;
  const roundTrip = session.pathStatistics(session.activePath)!.minRtt;
  const host = b.restart();
  const again = new EndpointMachine(crypto, host, right.keys);
  host.attach(again, { port: 1_000 });
  say(meeting, [3, 4], 3);
  const since = world.now;
  world.untilNow(() => left.kinds().includes('closed'), seconds(3));
  const foundOut = world.now - since;
  left.dial(a.now(), host.address(1_000), right.keys.publicKey);
  meeting.turn();
  world.runNow(seconds(1));
  say(meeting, [3, 4], 3);
  world.runNow(seconds(1));

  t.true(foundOut <= roundTrip + 1, `${foundOut} ms, one round trip has ${roundTrip}`);
  t.like(
    left.events.find(({ kind }) => kind === 'closed'),
    { by: 'reset' },
  );
  t.deepEqual(heard(right), [1, 2], 'nothing that was acknowledged is lost');
  t.deepEqual(heard(again), [3, 4], 'and nothing of it is run again');
  t.deepEqual(acknowledged(left).sort(), [1, 2, 3, 4]);
});
