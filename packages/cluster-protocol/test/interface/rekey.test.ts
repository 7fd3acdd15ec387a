import test from 'ava';
import { encodeText, milliseconds, randomBytes, seconds } from '../../src/base/index.js';
import type { SavedNode } from '../../src/interface/index.js';
import { dataKeyPhase } from '../../src/wire/index.js';
import { heard, Household, type Inhabitant, kindOf, SERVICE } from '../threats/household.js';

const DELAY = milliseconds(30);

const phases = (who: Inhabitant): number[] =>
  who.tap.sent.filter(({ bytes }) => kindOf(bytes) === 'data').map(({ bytes }) => dataKeyPhase(bytes));

/** A lamp and a phone that have talked every ten seconds for so long that their keys are not those of the handshake. */
function longTalk(seed: number): { house: Household; lamp: Inhabitant; phone: Inhabitant; said: string[] } {
  const house = new Household(seed);
  const [lamp, phone] = [house.start('lamp'), house.start('phone')];
  for (const { host } of [lamp, phone]) host.board.setConditions({ delay: DELAY });
  const said: string[] = [];
  for (let i = 0; i < 14; i++) {
    said.push(`message ${i}`);
    house.say(phone, lamp, said[i]!);
    house.world.runNow(seconds(10));
  }
  return { house, lamp, phone, said };
}

/** What a process that begins anew finds in its store: who it is, and nothing of sessions and messages. */
const afterRestart = (saved: SavedNode, fresh: (length: number) => Uint8Array): SavedNode => ({
  ...saved,
  outboxIncarnation: fresh(8),
  inboxIncarnation: fresh(8),
  formerInboxes: [...saved.formerInboxes, saved.inboxIncarnation],
});

test('nodes that talk for more than two minutes change their keys and notice nothing of it', t => {
  const { lamp, phone, said } = longTalk(1);

  t.deepEqual(heard(lamp), said);
  for (const who of [lamp, phone]) {
    t.is(phases(who)[0], 0);
    t.is(phases(who).at(-1), 1);
    t.is(who.node.drops.get('badTag'), 0);
    t.is(who.events.filter(({ kind }) => kind === 'disconnected').length, 0);
  }
});

test('a node that lost its state after a change of keys is met again, and nothing is lost or run twice', t => {
  const { house, lamp, phone, said } = longTalk(2);
  const delivered = (sequence: number): number =>
    phone.events.filter(event => event.kind === 'delivered' && event.sequence === sequence).length;

  const host = lamp.host.restart();
  const again = house.start(
    'lamp',
    afterRestart(lamp.saved, length => randomBytes(host.random, length)),
    host,
  );
  const since = house.world.now;
  const sequences = ['after', 'and more'].map(text =>
    phone.node.send(phone.host.now(), lamp.nodeId, SERVICE, encodeText(text)),
  );
  phone.running.turn();
  house.world.untilNow(() => phone.events.some(({ kind }) => kind === 'disconnected'), seconds(3));
  const foundOut = house.world.now - since;
  house.world.untilNow(() => heard(again).length === 2, seconds(5));
  const met = house.world.now - since;
  house.world.runNow(seconds(60));

  t.true(foundOut <= 4 * DELAY + 1, `${foundOut} ms`);
  t.true(met <= 1_000, `${met} ms`);
  t.deepEqual(heard(lamp), said);
  t.deepEqual([...heard(again)].sort(), ['after', 'and more'].sort());
  t.deepEqual(sequences.map(delivered), [1, 1]);
});
