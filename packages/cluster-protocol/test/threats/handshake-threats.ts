import { milliseconds, seconds } from '../../src/base/index.js';
import { INITIATION_HEADER, MAC_LENGTH, RESPONSE_HEADER } from '../../src/session/handshake-packets.js';
import { Mac1Key } from '../../src/crypto/index.js';
import { firstByte, PACKET_KINDS, readUint32, writeUint32 } from '../../src/wire/index.js';
import type { EndpointMachine } from '../session/endpoint-machine.js';
import { type Exercise, Failures } from './exercise.js';
import { addressOf, count, crypto, firstOf, heard, Household, kindOf } from './household.js';
import { Meeting } from './meeting.js';

const VICTIM = addressOf('203.0.113.50:5050');

const replayedInitiations: Exercise = {
  threat: 'T2',
  title: 'message 1 replayed without end, also after a restart, moves no session, no command and no newcomer',
  unit: 'virtual seconds at 15 a second',
  sizes: { test: 30, full: 20 * 60 },
  run(size, progress) {
    const failures = new Failures();
    const house = new Household(2);
    const [lamp, phone] = [house.start('lamp'), house.start('phone')];
    house.say(phone, lamp, 'first');
    const initiations = lamp.tap.received.filter(({ bytes }) => kindOf(bytes) === 'initiation');
    for (const who of [lamp, phone]) who.tap.recording = false;
    const from = [addressOf(initiations[0]!.remote), VICTIM];
    let replayed = 0;
    const replay = (to: typeof lamp): void => {
      const bytes = initiations[replayed % initiations.length]!.bytes.slice();
      to.tap.handleDatagram(to.host.now(), 1, from[replayed++ % 2]!, bytes);
      to.running.turn();
    };

    for (let i = 0; i < 1_000; i++) replay(lamp);
    house.world.runNow(seconds(15));
    failures.unless(count(lamp, 'connected') === 1, 'a replay opened a session beside the live one');
    failures.unless(house.say(phone, lamp, 'second') >= 0, 'the live session is gone');
    house.world.runNow(seconds(2)); // The acknowledgements, too: else the phone would rightly say it again.

    const again = house.start('lamp', { ...lamp.saved, addresses: new Map() }, lamp.host.restart());
    again.tap.recording = false;
    for (let i = 0; i < 1_000; i++) replay(again);
    house.world.runNow(seconds(1));
    failures.unless(count(again, 'connected') === 0, 'after a restart a replay opened a session');
    failures.unless(heard(again).length === 0, 'after a restart a replay ran a message');
    failures.unless(house.say(phone, again, 'third') >= 0, 'the initiator itself cannot come back');

    let [slowest, visits] = [0, 0];
    const door = house.start('door');
    for (let second = 0; second < size; second++) {
      for (let i = 0; i < 15; i++) {
        replay(again);
        house.world.runNow(seconds(1 / 15));
      }
      // Every ten seconds somebody honest comes anew, in the middle of it.
      if (second % 10 === 5) {
        const took = house.say(door, again, `visit ${second}`, seconds(5));
        failures.unless(
          took >= 0 && took <= 1_000,
          `an honest session took ${took < 0 ? '5 s and failed' : 'more than 1 s'}`,
        );
        slowest = Math.max(slowest, took);
        visits++;
        failures.unless(count(door, 'connected') === visits, 'a visit was no new session');
        house.world.runNow(seconds(0.2)); // Nothing waits any more: else it would stay for that.
        door.node.disconnect(door.host.now(), again.nodeId);
        door.running.turn();
        progress(second);
      }
    }
    failures.unless(
      heard(again).filter(text => !text.startsWith('visit')).length === 1,
      'a replay ran a message',
    );
    return {
      counts: { replayed, honestSessions: visits, slowestHonestSessionMs: Math.round(slowest) },
      failures: failures.list,
    };
  },
};

/** A packet of each kind that a stranger can have, and the mutated forms of each. */
export function* spoofed(
  packets: readonly Uint8Array[],
  random: { below(limit: number): number },
  size: number,
): Generator<Uint8Array> {
  for (const packet of packets) yield packet.slice();
  for (const packet of packets)
    for (let bit = 0; bit < 8 * Math.min(packet.length, 24); bit++) {
      const flipped = packet.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      yield flipped;
    }
  for (const packet of packets)
    for (let length = 1; length < packet.length; length += Math.ceil(packet.length / 30))
      yield packet.slice(0, length);
  for (let i = 0; i < size; i++) {
    const packet = packets[random.below(packets.length)]!.slice();
    for (let flips = 1 + random.below(8); flips > 0; flips--)
      packet[random.below(packet.length)] = random.below(256);
    if (random.below(4) === 0)
      packet[0] = firstByte(PACKET_KINDS[random.below(PACKET_KINDS.length)]!, random.below(4));
    // Versions that we do not speak are answered; whether the rest makes sense is asked for later.
    if (random.below(4) === 0) packet[1] = random.below(256);
    yield packet;
  }
}

const reflection: Exercise = {
  threat: 'T3',
  title: 'no packet of any kind, whole or mutated, makes a member send more than it got to a spoofed address',
  unit: 'random mutations',
  sizes: { test: 500, full: 50_000 },
  run(size, progress) {
    const failures = new Failures();
    const house = new Household(3);
    const [lamp, phone] = [house.start('lamp'), house.start('phone')];
    house.say(phone, lamp, 'first');
    house.start('lamp', lamp.saved, lamp.host.restart());
    house.say(phone, lamp, 'lost', seconds(3));
    const meeting = new Meeting(3);
    meeting.right.judge = () => ({ verdict: 'refuse', code: 1, text: 'no' });
    meeting.connect();
    const other = firstOf(lamp.tap.received, 'initiation');
    other[1] = 2;
    const packets = distinct([
      ...[lamp, phone].flatMap(({ tap }) => [...tap.received, ...tap.sent]).map(({ bytes }) => bytes),
      ...meeting.right.sent.map(({ bytes }) => bytes),
      other,
      ...PACKET_KINDS.map(kind => Uint8Array.of(firstByte(kind), ...new Uint8Array(60))),
    ]);
    const target = house.start('door');
    // The packets that were made for the lamp reach a node that is the lamp, too: after its next restart.
    const lampAgain = house.start('lamp', lamp.saved, lamp.host.restart());
    for (const { tap } of [target, lampAgain, phone]) tap.recording = false;
    const worst = { ratio: 0, packets: 0, requests: 0, answered: 0 };
    for (const bytes of spoofed(packets, house.world.random, size)) {
      for (const { tap, host, running } of [lampAgain, target]) {
        tap.recording = true;
        tap.sent.length = tap.received.length = 0;
        tap.handleDatagram(host.now(), 1, VICTIM, bytes.slice());
        running.turn();
        house.world.runNow(seconds(2));
        const back = tap.sent.filter(({ remote }) => remote === VICTIM.key);
        const out = back.reduce((sum, sent) => sum + sent.bytes.length, 0);
        worst.requests++;
        worst.answered += back.length > 0 ? 1 : 0;
        worst.packets = Math.max(worst.packets, back.length);
        worst.ratio = Math.max(worst.ratio, out / bytes.length);
        failures.unless(
          out <= bytes.length,
          `a ${kindOf(bytes) ?? 'foreign'} packet was answered with more bytes`,
        );
        failures.unless(
          back.length <= 1,
          `a ${kindOf(bytes) ?? 'foreign'} packet was answered more than once`,
        );
        if (worst.requests % 2_000 === 0) progress(worst.requests / 2);
      }
    }
    const { requests, answered, ratio } = worst;
    return {
      counts: {
        kinds: new Set(packets.map(kindOf)).size,
        requests,
        answered,
        bytesOutPerByteIn: +ratio.toFixed(3),
        packetsPerRequest: worst.packets,
      },
      failures: failures.list,
    };
  },
};

/** Packets that end, refuse or reset something, with every number right that a stranger can have seen and no secret. */
function forgeries(indices: readonly number[], random: { fill(into: Uint8Array): void }): Uint8Array[] {
  const lengths = {
    reset: 21,
    refusal: 80,
    versionRefusal: 8,
    retry: 40,
    response: 400,
    data: 60,
    finish: 100,
    cookie: 64,
  };
  return indices.flatMap(index =>
    Object.entries(lengths).map(([kind, length]) => {
      const packet = new Uint8Array(length);
      random.fill(packet);
      packet[0] = firstByte(kind as keyof typeof lengths);
      if (kind !== 'reset' && kind !== 'data') packet.set([1, 0, 0], 1);
      const indexAt = kind === 'reset' || kind === 'data' ? 1 : kind === 'response' ? 8 : 4;
      writeUint32(packet, indexAt, index);
      return packet;
    }),
  );
}

const forgedEnds: Exercise = {
  threat: 'T7',
  title: 'a forged close, refusal, retry, response or reset ends nothing in any state',
  unit: 'rounds through all states',
  sizes: { test: 10, full: 2_000 },
  run(size, progress) {
    const failures = new Failures();
    let forged = 0;
    for (let seed = 0; seed < size; seed++) {
      const meeting = new Meeting(7_000 + seed);
      const { left, right, a, b, world } = meeting;
      for (const { board } of [a, b]) board.setConditions({ delay: milliseconds(20) });
      const attack = (): void => {
        const known = [...left.sent, ...right.sent].map(({ bytes }) =>
          readUint32(bytes, kindOf(bytes) === 'data' ? 1 : 4),
        );
        const indices = [...new Set(known)];
        for (const packet of forgeries(indices, world.random))
          for (const [side, host, from] of [
            [left, a, b.address(1_000)],
            [right, b, a.address(1_000)],
            [left, a, VICTIM],
            [right, b, VICTIM],
          ] as const) {
            forged++;
            side.handleDatagram(host.now(), 1, from, packet.slice());
          }
        meeting.turn();
      };
      // Through a handshake in steps of 5 ms: dialling, answered and unproved, open; then idle, and after data.
      meeting.dial();
      for (let step = 0; step < 30; step++) {
        world.runNow(milliseconds(5));
        attack();
      }
      failures.unless(left.kinds().join() === 'opened', `the initiator saw ${left.kinds().join()}`);
      failures.unless(right.kinds().join() === 'opened', `the responder saw ${right.kinds().join()}`);
      failures.unless(meeting.talks(300), 'the open session does not talk');
      attack();
      failures.unless(meeting.talks(300), 'the session does not talk after the last attack');
      failures.unless(
        [...left.events, ...right.events].every(({ kind }) => kind !== 'closed'),
        'a session was closed',
      );
      if (seed % 100 === 99) progress(seed + 1);
    }
    return { counts: { forgedPackets: forged }, failures: failures.list };
  },
};

const downgrade: Exercise = {
  threat: 'T9',
  title: 'no flipped bit of either handshake message leads to another version, suite or offer',
  unit: 'every n-th bit outside the headers',
  sizes: { test: 32, full: 1 },
  run(size, progress) {
    const failures = new Failures();
    const counts = { flipped: 0, withMacRenewed: 0, opened: 0, openedWithSameResult: 0 };
    const meeting = new Meeting(9);
    meeting.connect();
    const { left, right } = meeting;
    const messages = {
      initiation: firstOf(
        left.sent.map(({ to, bytes }) => ({ remote: to, bytes })),
        'initiation',
      ),
      response: firstOf(
        right.sent.map(({ to, bytes }) => ({ remote: to, bytes })),
        'response',
      ),
    };
    for (const name of ['initiation', 'response'] as const) {
      const header = name === 'initiation' ? INITIATION_HEADER : RESPONSE_HEADER;
      for (let bit = 0; bit < 8 * messages[name].length; bit += bit < 8 * header ? 1 : size) {
        for (const renew of [false, true]) {
          counts.flipped++;
          if (renew) counts.withMacRenewed++;
          const outcome = withFlip(name, bit, renew);
          if (!outcome.opened) continue;
          counts.opened++;
          if (outcome.unchanged) counts.openedWithSameResult++;
          failures.unless(outcome.unchanged, `bit ${bit} of the ${name} leads to another result`);
          const isMac2 = name === 'initiation' && bit >= 8 * (messages[name].length - MAC_LENGTH);
          failures.unless(isMac2, `bit ${bit} of the ${name} is not protected`);
        }
        if (bit % 512 === 0) progress(bit);
      }
    }
    return { counts, failures: failures.list };
  },
};

/** Runs a handshake in whose message somebody flips a bit, with or without making a mac1 that fits again. */
function withFlip(
  name: 'initiation' | 'response',
  bit: number,
  renew: boolean,
): { opened: boolean; unchanged: boolean } {
  const { left, right, a, b, dialled } = scripted();
  const flip = (packet: Uint8Array, to: EndpointMachine): Uint8Array => {
    const flipped = packet.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    // mac2 follows in message 1 and is looked at under load only.
    const macAt = flipped.length - (name === 'initiation' ? 2 : 1) * MAC_LENGTH;
    if (renew && bit >> 3 < macAt)
      flipped.set(new Mac1Key(crypto, to.keys.publicKey).compute(flipped.subarray(0, macAt)), macAt);
    return flipped;
  };
  right.handleDatagram(b, 1, ADDRESS_A, name === 'initiation' ? flip(dialled, right) : dialled.slice());
  while (right.pollTransmit(b));
  const response = right.sent.find(({ bytes }) => kindOf(bytes) === 'response')?.bytes;
  if (!response) return { opened: false, unchanged: true };
  const index = readUint32(response, 4);
  left.handleDatagram(a, 1, ADDRESS_B, name === 'response' ? flip(response, left) : response.slice());
  const before = left.sent.length;
  while (left.pollTransmit(a));
  while (left.pollEvent());
  const opened = left.kinds().includes('opened');
  const [data] = left.sent.slice(before).filter(({ bytes }) => kindOf(bytes) === 'data');
  if (!opened || !data) return { opened, unchanged: !opened };
  // What comes of it: the same keys, so that the responder opens what the initiator seals, under the version both have.
  const sealed = data.bytes.slice();
  writeUint32(sealed, 1, index);
  const reaches = readUint32(data.bytes, 1) === index;
  right.handleDatagram(b, 1, ADDRESS_A, data.bytes.slice());
  while (right.pollEvent());
  return { opened, unchanged: right.kinds().includes('opened') === reaches };
}

const ADDRESS_A = addressOf('198.51.100.1:1000');
const ADDRESS_B = addressOf('198.51.100.2:1000');

/** Two endpoints outside of any world, `left` with its message 1 ready. */
function scripted() {
  const { left, right, a, b } = new Meeting(90);
  const [nowA, nowB] = [a.now(), b.now()];
  left.dial(nowA, ADDRESS_B, right.keys.publicKey);
  left.pollTransmit(nowA);
  return { left, right, a: nowA, b: nowB, dialled: left.sent[0]!.bytes };
}

export const handshakeThreats: readonly Exercise[] = [replayedInitiations, reflection, forgedEnds, downgrade];

/** One packet of each kind and length. */
function distinct(packets: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(packets.map(packet => [`${kindOf(packet)} ${packet.length}`, packet])).values()];
}
