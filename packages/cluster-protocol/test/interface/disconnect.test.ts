import test from 'ava';

import { encodeText, milliseconds, seconds } from '../../src/base/index.js';
import { heard, Household, type Inhabitant, SERVICE } from '../threats/household.js';

/** A lamp and a phone that wants a session with it, and has one. */
function connected(seed: number): { house: Household; lamp: Inhabitant; phone: Inhabitant } {
  const house = new Household(seed);
  const [lamp, phone] = [house.start('lamp'), house.start('phone')];
  for (const { host } of [lamp, phone]) host.board.setConditions({ delay: milliseconds(30) });
  phone.node.connect(phone.host.now(), lamp.nodeId);
  phone.running.turn();
  house.say(phone, lamp, 'hello');
  house.world.runNow(seconds(5));
  return { house, lamp, phone };
}

const send = (from: Inhabitant, to: Inhabitant, text: string): number => {
  const sequence = from.node.send(from.host.now(), to.nodeId, SERVICE, encodeText(text));
  from.running.turn();
  return sequence;
};

const disconnect = (from: Inhabitant, to: Inhabitant): void => {
  from.node.disconnect(from.host.now(), to.nodeId);
  from.running.turn();
};

const sessions = (...who: Inhabitant[]): number[] => who.map(({ node }) => node.tables.sessions);

test('who disconnects with nothing to say has no session any more', t => {
  const { house, lamp, phone } = connected(1);

  disconnect(phone, lamp);
  house.world.runNow(seconds(10));

  t.deepEqual(sessions(lamp, phone), [0, 0]);
  t.like(
    phone.events.find(({ kind }) => kind === 'disconnected'),
    { reason: 'local' },
  );
});

test('who disconnects while a message waits has it delivered, and then no session any more', t => {
  const { house, lamp, phone } = connected(2);

  const sequence = send(phone, lamp, 'the last word');
  disconnect(phone, lamp);
  house.world.runNow(seconds(10));

  t.deepEqual(heard(lamp), ['hello', 'the last word']);
  t.true(phone.events.some(event => event.kind === 'delivered' && event.sequence === sequence));
  t.deepEqual(sessions(lamp, phone), [0, 0]);
});

test('a message that is cancelled or expires after the farewell holds no session', t => {
  for (const way of ['cancel', 'expire'] as const) {
    const { house, lamp, phone } = connected(3);
    lamp.host.board.setConditions({ down: true });

    const sequence = phone.node.send(phone.host.now(), lamp.nodeId, SERVICE, encodeText('in vain'), {
      ...(way === 'expire' && { expiresIn: seconds(2) }),
    });
    disconnect(phone, lamp);
    house.world.runNow(seconds(1));
    if (way === 'cancel') phone.node.cancel(phone.host.now(), lamp.nodeId, sequence);
    phone.running.turn();
    house.world.runNow(seconds(10));

    t.deepEqual(sessions(phone), [0], way);
  }
});

test('a farewell during the handshake is kept once it has succeeded', t => {
  const house = new Household(4);
  const [lamp, phone] = [house.start('lamp'), house.start('phone')];
  for (const { host } of [lamp, phone]) host.board.setConditions({ delay: milliseconds(30) });

  phone.node.connect(phone.host.now(), lamp.nodeId);
  phone.running.turn();
  disconnect(phone, lamp);
  house.world.runNow(seconds(20));

  t.deepEqual(sessions(lamp, phone), [0, 0]);
});

test('who connects again after a farewell keeps the session, and so does who is called', t => {
  const { house, lamp, phone } = connected(5);

  send(phone, lamp, 'one more');
  disconnect(phone, lamp);
  phone.node.connect(phone.host.now(), lamp.nodeId);
  phone.running.turn();
  house.world.runNow(seconds(10));
  const kept = sessions(lamp, phone);
  disconnect(phone, lamp);
  house.world.runNow(seconds(10));
  send(lamp, phone, 'are you there?');
  house.world.runNow(seconds(10));

  t.deepEqual(kept, [1, 1]);
  t.deepEqual(heard(phone), ['are you there?']);
  t.deepEqual(sessions(lamp, phone), [1, 1], 'the lamp has not said that it needs no session');
});
