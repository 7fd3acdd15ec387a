import { DropCounters, instant, milliseconds, seconds } from '../../src/base/index.js';
import {
  DATA_HEADER,
  encodeFrames,
  type Frame,
  MAX_MESSAGE,
  MAX_MESSAGES_UNDER_WAY,
  writeDataHeader,
  writeUint32,
} from '../../src/wire/index.js';
import { Session } from '../../src/session/index.js';
import { MESSAGE_MEMORY, MessageMemory } from '../../src/session/message-memory.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { SessionPair, sendAll } from '../session/pair.js';
import { type Exercise, Failures } from './exercise.js';
import { addressOf, count, crypto, firstOf, heard, Household, kindOf, SERVICE } from './household.js';
import { Meeting } from './meeting.js';
import { heldBytes } from './memory.js';

const replays: Exercise = {
  threat: 'T1',
  title: 'captured packets, replayed in five random orders from old and new addresses, run nothing again',
  unit: 'packets captured',
  sizes: { test: 500, full: 10_000 },
  run(size, progress) {
    const failures = new Failures();
    const house = new Household(101);
    const [lamp, phone] = [house.start('lamp'), house.start('phone')];
    house.say(phone, lamp, 'first');
    for (let i = 0; lamp.tap.received.length < size; i++) {
      phone.node.sendDatagram(phone.host.now(), lamp.nodeId, SERVICE, Uint8Array.of(i >> 8, i));
      phone.running.turn();
      house.world.runNow(seconds(0.002));
    }
    house.world.runNow(seconds(1));
    const captured = lamp.tap.received.filter(({ bytes }) => kindOf(bytes) === 'data');
    lamp.tap.recording = false;
    const before = { datagrams: count(lamp, 'datagram'), messages: heard(lamp).length };
    const elsewhere = addressOf('203.0.113.9:9');
    let replayed = 0;
    for (let round = 0; round < 5; round++) {
      for (const { remote, bytes } of shuffled(captured, house.world.random)) {
        const from = round % 2 === 0 ? addressOf(remote) : elsewhere;
        lamp.tap.handleDatagram(lamp.host.now(), 1, from, bytes.slice());
        if (++replayed % 1_000 === 0) {
          house.world.runNow(seconds(0.001));
          progress(replayed / 5);
        }
      }
      // The phone's address changes between the rounds, and the window goes on.
      house.world.runNow(seconds(1));
      failures.unless(house.say(phone, lamp, `after round ${round}`) >= 0, 'the session does not go on');
    }
    const twice = count(lamp, 'datagram') - before.datagrams + heard(lamp).length - before.messages - 5;
    failures.unless(twice === 0, `${twice} deliveries of replayed packets`);
    return {
      counts: { captured: captured.length, replayed, deliveredTwice: twice },
      failures: failures.list,
    };
  },
};

const farAhead: Exercise = {
  threat: 'T1',
  title: 'forged packet numbers far ahead move no window of a session with real keys',
  unit: 'forged packets',
  sizes: { test: 1_000, full: 100_000 },
  run(size) {
    const failures = new Failures();
    const house = new Household(102);
    const [lamp, phone] = [house.start('lamp'), house.start('phone')];
    house.say(phone, lamp, 'first');
    const real = firstOf(lamp.tap.received, 'data');
    lamp.tap.recording = false;
    for (let i = 1; i <= size; i++) {
      const forged = real.slice();
      writeUint32(forged, 5, (i * 1_000_003) >>> 0);
      lamp.tap.handleDatagram(lamp.host.now(), 1, phone.host.address(phone.port), forged);
    }
    const took = house.say(phone, lamp, 'second');
    failures.unless(took >= 0 && took < 200, `the next packet took ${took} ms`);
    return { counts: { forged: size, msToNextMessage: took }, failures: failures.list };
  },
};

const guesses: Exercise = {
  threat: 'T7',
  title: 'data packets with random receiver indices change nothing and hold no path',
  unit: 'random indices',
  sizes: { test: 100_000, full: 1_000_000 },
  run(size, progress) {
    const failures = new Failures();
    const house = new Household(107);
    const [lamp, phone] = [house.start('lamp'), house.start('phone')];
    house.say(phone, lamp, 'first');
    lamp.tap.recording = false;
    const before = count(lamp, 'disconnected');
    const packet = new Uint8Array(60);
    const from = addressOf('203.0.113.7:7');
    const { random } = house.world;
    let answers = 0;
    for (let i = 0; i < size; i++) {
      random.fill(packet);
      writeDataHeader(packet, 0, random.uint32(), random.uint32());
      lamp.tap.handleDatagram(lamp.host.now(), 1, from, packet);
      for (
        let out = lamp.tap.pollTransmit(lamp.host.now());
        out;
        out = lamp.tap.pollTransmit(lamp.host.now())
      )
        answers++;
      if (i % 50_000 === 0) progress(i);
    }
    failures.unless(answers <= 1, `${answers} answers within one moment`);
    const hits = size - lamp.node.drops.get('unknownIndex');
    failures.unless(hits === 0, `${hits} hits`);
    failures.unless(house.say(phone, lamp, 'second') >= 0, 'the live session is gone');
    failures.unless(count(lamp, 'disconnected') === before, 'the live session was closed');
    return { counts: { guesses: size, hits, answers }, failures: failures.list };
  },
};

const race: Exercise = {
  threat: 'T8',
  title: 'whoever sends copies 5 ms sooner from an address of his own and then stops, steals no path',
  unit: 'races',
  sizes: { test: 200, full: 10_000 },
  run(size, progress) {
    const failures = new Failures();
    let slowest = 0;
    for (let seed = 0; seed < size; seed++) {
      const recovered = raceOnce(seed);
      failures.unless(recovered >= 0, 'not everything arrived, or the path is not the true one, after 3 s');
      slowest = Math.max(slowest, recovered);
      if (seed % 100 === 99) progress(seed + 1);
    }
    return { counts: { races: size, slowestReturnMs: Math.round(slowest) }, failures: failures.list };
  },
};

/** Milliseconds from the end of the race until everything has arrived and the responder is on the true path; −1: not within 3 s. */
function raceOnce(seed: number): number {
  const pair = new SessionPair({ seed, link: { delay: 20, jitter: seed % 4 === 0 ? 5 : 0 } });
  // Half of the attackers carry answers back as well, so that their path is even validated.
  const carries = seed % 2 === 1;
  let racing = true;
  pair.pathSeen = flight => (flight.from === 'b' || flight.path !== 9 ? 0 : 9);
  pair.drop = flight => {
    if (flight.from === 'a' && racing) pair.inject({ ...flight, path: 9, bytes: flight.bytes.slice() }, 15);
    return flight.from === 'b' && flight.path === 9 && !(racing && carries);
  };
  const [toB, toA] = [5 + (seed % 3), 3 + (seed % 5)];
  sendAll(pair, 'a', new Array<number>(toB).fill(1_000));
  sendAll(pair, 'b', new Array<number>(toA).fill(1_000));
  pair.run(() => false, 200 + (seed % 700));
  racing = false;
  const stopped = pair.now;
  sendAll(pair, 'a', [1_000], toB);
  sendAll(pair, 'b', [1_000], toA);
  const done = pair.run(
    () =>
      pair.count('a', 'messageAcknowledged') === toB + 1 &&
      pair.count('b', 'messageAcknowledged') === toA + 1 &&
      pair.b.activePath === 0,
    3_000,
  );
  return done ? pair.now - stopped : -1;
}

const reassembly: Exercise = {
  threat: 'T23',
  title: 'sessions that send beginnings without ends hold their bound and no more',
  unit: 'sessions',
  sizes: { test: 100, full: 1_000 },
  async run(size, progress) {
    const failures = new Failures();
    const start = await heldBytes();
    const memory = new MessageMemory();
    const sessions: Session[] = [];
    let refused = 0;
    for (let i = 0; i < size; i++) {
      const { session, drops, send } = liar(i, memory);
      for (let sequence = 0; sequence < 200; sequence++)
        send([firstFragment(sequence, sequence % 2 === 0 ? MAX_MESSAGE : 65_536, new Uint8Array(1_100))]);
      sessions.push(session);
      refused += drops.get('reassemblyFull');
      failures.unless(
        send([firstFragment(1_000, 3, new Uint8Array(3))]) === undefined,
        'a whole message is refused',
      );
      if (i % 20 === 19) progress(i + 1);
    }
    const held = (await heldBytes()) - start;
    // A session itself takes some 12 KiB: windows of what came and of what is done.
    const cap = MESSAGE_MEMORY * 1.1 + size * 2 ** 14 + 2 ** 20;
    failures.unless(held <= cap, `${held} bytes are held, ${Math.round(cap)} allowed`);
    failures.unless(memory.reserved <= MESSAGE_MEMORY, `${memory.reserved} bytes are reserved`);
    failures.unless(
      refused >= size * (200 - MAX_MESSAGES_UNDER_WAY),
      `only ${refused} fragments were refused`,
    );
    const honest = (messageMemory: MessageMemory): number => {
      const pair = new SessionPair({ messageMemory });
      pair.now = instant(10_000);
      sendAll(pair, 'a', new Array<number>(40).fill(60_000));
      pair.run(() => pair.count('a', 'messageAcknowledged') === 40, 20_000);
      return pair.now - 10_000;
    };
    const [idle, loaded] = [honest(new MessageMemory()), honest(memory)];
    failures.unless(
      idle >= 0.8 * loaded,
      `an honest session took ${loaded} ms, ${idle} ms without the others`,
    );
    for (const session of sessions) session.destroy();
    failures.unless(memory.reserved === 0, `${memory.reserved} bytes stay reserved`);
    return {
      counts: {
        sessions: size,
        heldMiB: Math.round(held / 2 ** 20),
        honestShareOfIdleRate: +(idle / loaded).toFixed(2),
      },
      failures: failures.list,
    };
  },
};

const acks: Exercise = {
  threat: 'T24',
  title: 'whoever acknowledges what was never sent gains no window and hides no loss',
  unit: 'lying acks',
  sizes: { test: 2_000, full: 100_000 },
  run(size) {
    const failures = new Failures();
    const { session, drops, send } = liar(1);
    const buffer = new Uint8Array(1_500);
    const drain = (): number => {
      let packets = 0;
      while (session.pollTransmit(instant(0), buffer)) packets++;
      return packets;
    };
    for (let sequence = 0; sequence < 64; sequence++)
      session.sendMessage(instant(0), { sequence, floor: 0, service: 1, bytes: new Uint8Array(65_000) });
    const first = drain();
    let more = 0;
    for (let i = 0; i < size; i++) {
      send([{ type: 'ack', delay: 0, ranges: [{ first: first + i, last: first + i }] }]);
      more += drain();
    }
    failures.unless(drops.get('badAck') === size, `${size - drops.get('badAck')} lying acks were believed`);
    failures.unless(more <= 4, `${more} packets were sent for lying acks`);
    return {
      counts: { lyingAcks: size, refused: drops.get('badAck'), packetsGained: more },
      failures: failures.list,
    };
  },
};

const manyAddresses: Exercise = {
  threat: 'T24',
  title: 'a member that sends from ever new addresses makes its peer remember a few of them',
  unit: 'addresses',
  sizes: { test: 2_000, full: 60_000 },
  run(size, progress) {
    const failures = new Failures();
    const meeting = new Meeting(124);
    const { left, right, a, b, world } = meeting;
    meeting.connect();
    const { paths } = right.endpoint;
    const handle = left.endpoint.sessionWith(right.keys.publicKey)!;
    let most = 0;
    for (let i = 0; i < size; i++) {
      left.endpoint.open(handle)?.sendDatagram(a.now(), 9, Uint8Array.of(1));
      // Whoever stands in front of the member gives each of its packets another source address.
      for (let out = left.pollTransmit(a.now()); out; out = left.pollTransmit(a.now())) {
        const from = addressOf(`203.0.113.${i % 250}:${1 + Math.floor(i / 250)}`);
        right.handleDatagram(b.now(), 1, from, out.bytes.slice());
      }
      meeting.turn();
      world.runNow(seconds(0.001));
      most = Math.max(most, paths.size);
      if (i % 1_000 === 999) {
        for (const side of [left, right]) side.sent.length = side.received.length = side.events.length = 0;
        progress(i + 1);
      }
    }
    failures.unless(most <= 32, `${most} paths were remembered at once`);
    failures.unless(meeting.talks(3_000), 'the session does not go on');
    return { counts: { addresses: size, pathsRemembered: most }, failures: failures.list };
  },
};

const nodeRace: Exercise = {
  threat: 'T8',
  title: 'members whose packets somebody copies, carries and then drops, hear each other again within 3 s',
  unit: 'races',
  sizes: { test: 20, full: 1_000 },
  run(size, progress) {
    const failures = new Failures();
    let slowest = 0;
    for (let seed = 0; seed < size; seed++) {
      const took = nodeRaceOnce(seed);
      failures.unless(took >= 0, 'a message did not arrive within 3 s of the end of the race');
      slowest = Math.max(slowest, took);
      if (seed % 50 === 49) progress(seed + 1);
    }
    return { counts: { races: size, slowestReturnMs: Math.round(slowest) }, failures: failures.list };
  },
};

/** Milliseconds from the end of the race until both sides have heard each other; −1: not within 3 s. */
function nodeRaceOnce(seed: number): number {
  const house = new Household(8_000 + seed);
  const [lamp, phone] = [house.start('lamp'), house.start('phone')];
  for (const { host } of [lamp, phone]) host.board.setConditions({ delay: milliseconds(10) });
  house.say(phone, lamp, 'before');
  const attacker = addressOf('203.0.113.66:6666');
  const carries = seed % 2 === 1;
  let racing = true;
  lamp.tap.withhold = (remote, bytes) => {
    if (racing && remote.key === phone.host.address(phone.port).key) {
      // The copy goes first; the true packet follows 5 ms later.
      const packet = bytes.slice();
      lamp.node.handleDatagram(lamp.host.now(), 1, attacker, bytes.slice());
      house.world.timeline.after(milliseconds(5), () => {
        lamp.node.handleDatagram(lamp.host.now(), 1, remote, packet);
        lamp.running.turn();
        return false;
      });
      return true;
    }
    return false;
  };
  const carried = (): void => {
    if (!carries || !racing) return;
    for (const { remote, bytes } of lamp.tap.sent.splice(0))
      if (remote === attacker.key) {
        phone.node.handleDatagram(phone.host.now(), 1, lamp.host.address(lamp.port), bytes);
        phone.running.turn();
      }
  };
  for (let i = 0; i < 20 + (seed % 30); i++) {
    const [from, to] = i % 2 === 0 ? [phone, lamp] : [lamp, phone];
    from.node.send(from.host.now(), to.nodeId, SERVICE, Uint8Array.of(i));
    from.running.turn();
    house.world.runNow(milliseconds(25));
    carried();
  }
  racing = false;
  const stopped = house.world.now;
  const [there, back] = [
    house.say(phone, lamp, 'after', seconds(3)),
    house.say(lamp, phone, 'back', seconds(3)),
  ];
  return there < 0 || back < 0 || house.world.now - stopped > 3_000 ? -1 : house.world.now - stopped;
}

export const sessionThreats: readonly Exercise[] = [
  replays,
  farAhead,
  guesses,
  race,
  nodeRace,
  reassembly,
  acks,
  manyAddresses,
];

/** A session whose peer has the keys and follows no rule. */
function liar(
  seed: number,
  messageMemory?: MessageMemory,
): {
  readonly session: Session;
  readonly drops: DropCounters;
  readonly send: (frames: readonly Frame[]) => string | undefined;
} {
  const toSession = crypto.aeadKey(new Uint8Array(32).fill(1));
  const drops = new DropCounters();
  const session = new Session({
    role: 'responder',
    sendKey: crypto.aeadKey(new Uint8Array(32).fill(2)),
    receiveKey: crypto.aeadKey(new Uint8Array(32).fill(1)),
    localIndex: 7,
    remoteIndex: 8,
    path: 0,
    pathValidated: true,
    now: instant(0),
    random: new SeededRandom(seed),
    drops,
    ...(messageMemory && { messageMemory }),
  });
  let number = 0;
  const send = (frames: readonly Frame[]): string | undefined => {
    const plaintext = encodeFrames(frames);
    const packet = new Uint8Array(DATA_HEADER + plaintext.length + 16);
    writeDataHeader(packet, 0, 7, number);
    packet.set(plaintext, DATA_HEADER);
    toSession.sealInPlace(0, number++, packet, DATA_HEADER, plaintext.length);
    return session.handlePacket(instant(0), 0, packet);
  };
  return { session, drops, send };
}

const firstFragment = (sequence: number, total: number, bytes: Uint8Array): Frame => ({
  type: 'firstFragment',
  sequence,
  total,
  service: 1,
  floor: 0,
  priority: 0,
  bytes,
});

const shuffled = <T>(items: readonly T[], random: SeededRandom): T[] =>
  items
    .map(item => [random.fraction(), item] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, item]) => item);
