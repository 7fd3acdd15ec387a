import { milliseconds, randomBytes, seconds } from '../../src/base/index.js';
import { encodeManagement, type ManagementContent, SERVICES } from '../../src/network/index.js';
import { CANDIDATES_CONTROL, encodeCandidates, MAX_CANDIDATES } from '../../src/path/index.js';
import { addressScope, type SocketAddress } from '../../src/wire/index.js';
import { type Exercise, Failures } from './exercise.js';
import { addressOf, count, crypto, heard, Household, kindOf } from './household.js';
import { heldMemory } from './memory.js';

const NMN = addressOf('203.0.113.1:28620');

const namedAddresses: Exercise = {
  threat: 'T4',
  title:
    'a member that names a thousand addresses makes its peer send one round of 80 packets, and none where it may not',
  unit: 'addresses named',
  sizes: { test: 1_000, full: 20_000 },
  run(size) {
    const failures = new Failures();
    const house = new Household(4, crypto, 'lan');
    const lamp = house.start('lamp', undefined, undefined, [NMN]);
    const liar = house.renegade('door');
    const lampAddress = lamp.host.address(lamp.port);
    liar.dial(lamp.nodeId, lampAddress);
    house.world.runNow(seconds(1));
    lamp.tap.sent.length = 0;
    const session = liar.session(lamp.nodeId)!;
    const own = liar.host.address(5_002);
    let named = 0;
    const began = house.world.now;
    for (let generation = 1; named < size; generation++) {
      const candidates = Array.from({ length: MAX_CANDIDATES }, () => ({
        kind: 'host' as const,
        address: victim(named++, lampAddress),
      }));
      session.sendControl(liar.host.now(), CANDIDATES_CONTROL, encodeCandidates({ generation, candidates }));
      liar.turn();
      house.world.runNow(milliseconds(20));
    }
    // One round at once, and from then on one more packet each 750 ms for as long as new addresses are named.
    const allowed = 80 + Math.ceil((house.world.now - began) / 750);
    house.world.runNow(seconds(60));
    const strays = lamp.tap.sent.filter(
      ({ remote, bytes }) => remote !== own.key && !(remote === NMN.key && kindOf(bytes) === 'initiation'),
    );
    const forbidden = strays.filter(({ remote }) => isForbidden(addressOf(remote), lampAddress));
    failures.unless(named >= size, 'not all addresses were named');
    failures.unless(strays.length > 0, 'nothing was probed at all: the test tests nothing');
    failures.unless(
      strays.length <= allowed,
      `${strays.length} packets went to named addresses, ${allowed} are allowed`,
    );
    failures.unless(forbidden.length === 0, `${forbidden.length} packets went where none may go`);
    return {
      counts: { named, packetsToNamed: strays.length, allowed, packetsToForbidden: forbidden.length },
      failures: failures.list,
    };
  },
};

const SPECIAL = [
  ...['127.0.0.1:53', '224.0.0.1:5000', '255.255.255.255:5000', '[::ffff:127.0.0.1]:53', '240.0.0.1:1'],
  ...['[::1]:53', '[ff02::1]:5353', '10.0.0.1:53', '169.254.169.254:80', '8.8.8.8:53', NMN.key],
].map(addressOf);

/** A special address every other time, else a neighbour in the peer's own network. */
const victim = (i: number, peer: SocketAddress): SocketAddress =>
  i % 2 === 0
    ? SPECIAL[(i / 2) % SPECIAL.length]!
    : addressOf(`${peer.host.replace(/\d+$/, String(1 + (i % 255)))}:${1_000 + (i % 60_000)}`);

function isForbidden(address: SocketAddress, peer: SocketAddress): boolean {
  const subnet = peer.host.replace(/\d+$/, '');
  const isNeighbour = address.host.startsWith(subnet) && !address.host.endsWith('.255');
  return addressScope(address) !== 'private' || !isNeighbour || address.key === peer.key;
}

const stolenAnswers: Exercise = {
  threat: 'T22',
  title: 'answers of the NMN that a member gives in its place are not taken',
  unit: 'forged answers',
  sizes: { test: 2_000, full: 100_000 },
  run(size, progress) {
    const failures = new Failures();
    const house = new Household(22);
    const lamp = house.start('lamp');
    const liar = house.renegade('door');
    liar.dial(lamp.nodeId, lamp.host.address(lamp.port));
    house.world.runNow(seconds(1));
    lamp.tap.recording = false;
    const answers: ManagementContent[] = [
      { type: 'left' },
      { type: 'secretIs', epoch: 7, secret: new Uint8Array(32).fill(6) },
    ];
    let sent = 0;
    for (let requestId = 0; requestId < size; requestId++) {
      const content = answers[requestId % answers.length]!;
      if (liar.tell(lamp.nodeId, SERVICES.management, encodeManagement({ ...content, requestId }))) sent++;
      if (requestId % 20 === 19) house.world.runNow(milliseconds(50));
      if (requestId % 5_000 === 0) progress(requestId);
    }
    house.world.runNow(seconds(5));
    const taken = count(lamp, 'management');
    failures.unless(sent === size, `only ${sent} were sent`);
    failures.unless(
      lamp.node.drops.get('notPermitted') === sent,
      `${lamp.node.drops.get('notPermitted')} were refused`,
    );
    failures.unless(taken === 0, `${taken} were taken`);
    failures.unless(house.say(house.start('phone'), lamp, 'hello') >= 0, 'an honest member is not heard');
    return { counts: { forgedAnswers: sent, taken }, failures: failures.list };
  },
};

const madeUpSecrets: Exercise = {
  threat: 'T22',
  title: 'a network secret that a member makes up while catching up changes nothing',
  unit: 'made-up epochs',
  sizes: { test: 5, full: 200 },
  run(size) {
    const failures = new Failures();
    for (let i = 0; i < size; i++) {
      const house = new Household(2_200 + i);
      const lamp = house.start('lamp');
      const liar = house.renegade('door');
      liar.dial(lamp.nodeId, lamp.host.address(lamp.port), 'catchUp');
      house.world.runNow(seconds(1));
      const epoch = i === 0 ? 2 ** 40 : 2 + i;
      const content: ManagementContent = { type: 'secretIs', epoch, secret: new Uint8Array(32).fill(6) };
      liar.tell(lamp.nodeId, SERVICES.management, encodeManagement({ ...content, requestId: 0 }));
      house.world.runNow(seconds(1));
      const written = lamp.events.some(
        event => event.kind === 'persist' && event.changes.has('network/secrets'),
      );
      failures.unless(!written, 'the made-up secret was written to the store');
      const phone = house.start('phone');
      failures.unless(house.say(lamp, phone, 'hello') >= 0, 'its victim reaches nobody any more');
      const spread = phone.events.some(
        event => event.kind === 'persist' && event.changes.has('network/secrets'),
      );
      failures.unless(!spread, 'its victim passed the made-up secret on');
    }
    return { counts: { victims: size }, failures: failures.list };
  },
};

const insideNonsense: Exercise = {
  threat: 'T44',
  title:
    'nonsense of every service, control type and size in a good session throws nothing and disturbs nobody',
  unit: 'nonsense messages',
  sizes: { test: 2_000, full: 200_000 },
  async run(size, progress) {
    const failures = new Failures();
    const house = new Household(44);
    const [lamp, phone] = [house.start('lamp'), house.start('phone')];
    const liar = house.renegade('door');
    liar.dial(lamp.nodeId, lamp.host.address(lamp.port));
    house.say(phone, lamp, 'first');
    house.world.runNow(seconds(1));
    for (const { tap } of [lamp, phone]) tap.recording = false;
    const { random } = house.world;
    const noise = (): Uint8Array => {
      const bytes = randomBytes(random, random.below(random.below(10) === 0 ? 2_000 : 100));
      if (bytes.length > 0 && random.below(2) === 0) bytes[0] = random.below(24);
      return bytes;
    };
    const before = await heldMemory();
    for (let i = 0; i < size; i++) {
      const session = liar.session(lamp.nodeId);
      if (!session) liar.dial(lamp.nodeId, lamp.host.address(lamp.port));
      switch (i % 3) {
        case 0:
          liar.tell(lamp.nodeId, 1 + random.below(12), noise());
          break;
        case 1:
          session?.sendDatagram(liar.host.now(), 1 + random.below(12), noise());
          break;
        default:
          try {
            session?.sendControl(liar.host.now(), 1 + random.below(4), noise().slice(0, 1_000));
          } catch {
            // The liar's own queue is full.
          }
      }
      liar.turn();
      if (i % 10 === 9) house.world.runNow(milliseconds(30));
      if (i % 1_000 === 999) {
        lamp.events.length = 0;
        progress(i + 1);
      }
    }
    house.world.runNow(seconds(5));
    lamp.events.length = 0;
    const grown = (await heldMemory()) - before;
    failures.unless(grown < 8 * 2 ** 20, `${grown} bytes of growth`);
    failures.unless(house.say(phone, lamp, 'second') >= 0, 'an honest member is not heard');
    return {
      counts: { nonsense: size, heapGrowthMiB: +(grown / 2 ** 20).toFixed(1) },
      failures: failures.list,
    };
  },
};

const outsideNonsense: Exercise = {
  threat: 'T44',
  title: 'mutations of everything recorded, in every state of a node, throw nothing and end no session',
  unit: 'mutated datagrams',
  sizes: { test: 20_000, full: 2_000_000 },
  async run(size, progress) {
    const failures = new Failures();
    const house = new Household(440);
    const [lamp, phone] = [house.start('lamp'), house.start('phone')];
    house.say(phone, lamp, 'first');
    const recorded = [lamp, phone]
      .flatMap(({ tap }) => [...tap.received, ...tap.sent])
      .map(({ bytes }) => bytes);
    for (const { tap } of [lamp, phone]) tap.recording = false;
    const { random } = house.world;
    const sources = [
      phone.host.address(phone.port),
      addressOf('203.0.113.4:4'),
      addressOf('[2001:db8::4]:4'),
    ];
    const before = await heldMemory();
    for (let i = 0; i < size; i++) {
      const bytes = mutated(recorded, random);
      lamp.node.handleDatagram(lamp.host.now(), 1 + random.below(2), sources[random.below(3)]!, bytes);
      if (i % 100 === 99) {
        lamp.running.turn();
        house.world.runNow(milliseconds(20));
      }
      if (i % 10_000 === 9_999) progress(i + 1);
    }
    const grown = (await heldMemory()) - before;
    failures.unless(grown < 8 * 2 ** 20, `${grown} bytes of growth`);
    failures.unless(
      count(lamp, 'disconnected') + count(phone, 'disconnected') === 0,
      'the live session was ended',
    );
    failures.unless(house.say(phone, lamp, 'second') >= 0, 'the live session is not heard');
    failures.unless(heard(lamp).join() === 'first,second', `it heard ${heard(lamp).join()}`);
    return {
      counts: { datagrams: size, heapGrowthMiB: +(grown / 2 ** 20).toFixed(1) },
      failures: failures.list,
    };
  },
};

/** Something recorded with bytes changed, cut off, put behind it, or mixed with something else. */
export function mutated(
  recorded: readonly Uint8Array[],
  random: { below(limit: number): number; fill(into: Uint8Array): void },
): Uint8Array {
  const packet = recorded[random.below(recorded.length)]!.slice();
  const other = recorded[random.below(recorded.length)]!;
  switch (random.below(5)) {
    case 0:
      return packet.slice(0, random.below(packet.length + 1));
    case 1: {
      const longer = new Uint8Array(Math.min(1_600, packet.length + random.below(100)));
      random.fill(longer);
      longer.set(packet.subarray(0, longer.length));
      return longer;
    }
    case 2:
      packet.set(other.subarray(0, Math.min(packet.length, random.below(40))));
      return packet;
    default:
      for (let flips = 1 + random.below(6); flips > 0; flips--)
        packet[random.below(random.below(2) === 0 ? Math.min(12, packet.length) : packet.length)] =
          random.below(256);
      return packet;
  }
}

export const memberThreats: readonly Exercise[] = [
  namedAddresses,
  stolenAnswers,
  madeUpSecrets,
  insideNonsense,
  outsideNonsense,
];
