import { randomBytes, seconds } from '../../src/base/index.js';
import { HandshakeState, Mac1Key } from '../../src/crypto/index.js';
import { SystemRandom } from '../../src/nodejs/random.js';
import { IncomingHandshake } from '../../src/session/incoming-handshake.js';
import { INITIATION_HEADER, MAC_LENGTH, prologueOf } from '../../src/session/handshake-packets.js';
import { SUITE } from '../../src/session/outgoing-handshake.js';
import { DATA_HEADER, readUint32 } from '../../src/wire/index.js';
import { EndpointMachine } from '../session/endpoint-machine.js';
import { type Exercise, Failures } from './exercise.js';
import { crypto, Household, kindOf } from './household.js';
import { Meeting } from './meeting.js';
import { type Masked, masked, searchProcess, searchSodium } from './process-memory.js';
import { ImpostorProvider, WatchingProvider } from './watching-provider.js';

const cryptoRandom = new SystemRandom();

const impersonation: Exercise = {
  threat: 'T15',
  title: 'who has stolen the key of a node cannot pose to it as another node, in either role',
  unit: 'attempts in each role',
  sizes: { test: 20, full: 1_000 },
  run(size, progress) {
    const failures = new Failures();
    let reachedJudgement = 0;
    for (let seed = 0; seed < size; seed++) {
      // Left is the victim whose key was stolen; right is whom the thief poses as. He knows the network secret, too.
      const meeting = new Meeting(15_000 + seed);
      const { left, right, a, world } = meeting;
      const provider = new ImpostorProvider(crypto, left.keys, right.keys.publicKey);
      const host = world.host({ name: 'thief' });
      const thief = new EndpointMachine(provider, host, provider.pretended);
      const run = host.attach(thief, { port: 1_000 });

      const { judge } = left;
      left.judge = request => {
        reachedJudgement++;
        return judge(request);
      };
      thief.dial(host.now(), a.address(1_000), left.keys.publicKey);
      run.turn();
      world.runNow(seconds(12));
      failures.unless(
        !left.kinds().includes('opened'),
        'the victim opened a session for the thief as initiator',
      );
      failures.unless(left.endpoint.sessionCount === 0, 'the victim counts a session');

      // And the other way: the thief stands where the other node is, and answers the victim.
      left.dial(a.now(), host.address(1_000), right.keys.publicKey);
      meeting.turn();
      world.runNow(seconds(12));
      failures.unless(
        !left.kinds().includes('opened'),
        'the victim opened a session with the thief as responder',
      );
      failures.unless(left.kinds().includes('handshakeFailed'), 'the handshake with the thief did not end');
      if (seed % 50 === 49) progress(seed + 1);
    }
    return {
      counts: { attempts: 2 * size, messages1ThatVerified: reachedJudgement },
      failures: failures.list,
    };
  },
};

const oldTraffic: Exercise = {
  threat: 'T16',
  title: 'with all static keys and the network secret nobody opens a packet that was recorded',
  unit: 'recorded sessions',
  sizes: { test: 10, full: 500 },
  run(size) {
    const failures = new Failures();
    let [packets, opened] = [0, 0];
    for (let seed = 0; seed < size; seed++) {
      const meeting = new Meeting(16_000 + seed);
      const { left, right, world } = meeting;
      meeting.connect();
      meeting.talks(200);
      const initiation = left.sent[0]!.bytes;
      const recorded = [...left.sent, ...right.sent]
        .map(({ bytes }) => bytes)
        .filter(bytes => kindOf(bytes) === 'data');
      packets += recorded.length;
      // The tester answers the recorded message 1 once more with the responder's key, and continues from message 2 of its own.
      const again = IncomingHandshake.open(
        crypto,
        world.random,
        right.keys,
        initiation,
        readUint32(initiation, 4),
      );
      failures.unless(again !== undefined, 'the tester does not even read message 1 with the static key');
      again?.respond(1, new Uint8Array(16), new Uint8Array(32).fill(7), new Uint8Array(10));
      const ofInitiator = new HandshakeState({
        provider: crypto,
        random: world.random,
        protocolName: SUITE,
        role: 'initiator',
        prologue: prologueOf(initiation.slice(0, INITIATION_HEADER)),
        staticKeyPair: left.keys,
        remoteStatic: right.keys.publicKey,
        psks: [new Uint8Array(32).fill(7)],
      });
      ofInitiator.writeMessage(new Uint8Array(0));
      const response = right.sent.find(({ bytes }) => kindOf(bytes) === 'response')!.bytes;
      try {
        ofInitiator.readMessage(response.subarray(12, response.length - MAC_LENGTH));
        failures.unless(false, 'the recorded message 2 opens under other ephemeral keys');
      } catch {
        // As it must be: the ephemeral keys are gone.
      }
      const keys = again?.transportKeys();
      for (const packet of recorded)
        for (const key of keys ? [keys.sendKey, keys.receiveKey] : []) {
          const copy = packet.slice();
          if (key.openInPlace(0, readUint32(packet, 5), copy, DATA_HEADER, copy.length) >= 0) opened++;
        }
      again?.destroy();
    }
    failures.unless(opened === 0, `${opened} recorded packets opened`);
    return { counts: { sessions: size, packets, opened }, failures: failures.list };
  },
};

const keysInMemory: Exercise = {
  threat: 'T16',
  title: 'after a session was closed its keys are nowhere in the memory of the process',
  unit: 'sessions',
  sizes: { test: 5, full: 100 },
  async run(size) {
    const failures = new Failures();
    const secrets: Masked[] = [];
    const provider = new WatchingProvider(crypto);
    const live: Masked[] = [];
    provider.onKey = key => live.push(masked(key));
    for (let seed = 0; seed < size; seed++) closeOne(seed, provider);
    secrets.push(...live);
    const kept = keepOne();
    const [before, sodium, whole] = [
      await searchSodium(kept.secrets),
      await searchSodium(secrets),
      searchProcess(secrets),
    ];
    failures.unless(before.hits > 0, 'the search does not even find the keys of a session that lives');
    failures.unless(sodium.hits === 0, `${sodium.hits} key copies in the memory of libsodium`);
    failures.unless((whole?.hits ?? 0) === 0, `${whole?.hits} key copies in the memory of the process`);
    kept.end();
    return {
      counts: {
        keys: secrets.length,
        sodiumMiB: +(sodium.bytes / 2 ** 20).toFixed(1),
        processMiB: whole ? Math.round(whole.bytes / 2 ** 20) : 'no /proc here',
        found: sodium.hits + (whole?.hits ?? 0),
      },
      failures: failures.list,
    };
  },
};

const keysBefore: Exercise = {
  threat: 'T16',
  title:
    'after a change of keys those before are nowhere in the memory of the process, though the session goes on',
  unit: 'sessions',
  sizes: { test: 3, full: 100 },
  async run(size) {
    const failures = new Failures();
    const provider = new WatchingProvider(crypto);
    const [before, since]: [Masked[], Masked[]] = [[], []];
    const meetings = Array.from({ length: size }, (_, seed) => {
      const meeting = new Meeting(165_000 + seed, provider);
      provider.onKey = key => before.push(masked(key));
      meeting.connect();
      meeting.talks(200);
      provider.onKey = key => since.push(masked(key));
      meeting.left.endpoint
        .open(meeting.left.endpoint.sessionWith(meeting.right.keys.publicKey)!)
        ?.rekey(meeting.a.now());
      meeting.turn();
      meeting.world.runNow(seconds(10));
      return meeting;
    });
    const old = [await searchSodium(before), searchProcess(before)];
    const present = await searchSodium(since);
    const found = old.reduce((sum, search) => sum + (search?.hits ?? 0), 0);
    failures.unless(found === 0, `${found} copies of keys that were changed`);
    failures.unless(present.hits > 0, 'the search does not even find the keys that are in use');
    for (const meeting of meetings) failures.unless(meeting.talks(200), 'the session does not go on');
    return { counts: { keys: before.length, found, inUse: present.hits }, failures: failures.list };
  },
};

/** A session that is set up, talks and is closed from one side. */
function closeOne(seed: number, provider: WatchingProvider): void {
  const meeting = new Meeting(160_000 + seed, provider);
  meeting.connect();
  meeting.talks(200);
  const { left, right, a, world } = meeting;
  const handle = left.endpoint.sessionWith(right.keys.publicKey)!;
  left.endpoint.open(handle)?.close(a.now(), 0, 'done');
  meeting.turn();
  world.runNow(seconds(10));
}

/** A session that goes on, to show that the search finds what is there. */
function keepOne(): { readonly secrets: readonly Masked[]; readonly end: () => void } {
  const provider = new WatchingProvider(crypto);
  const secrets: Masked[] = [];
  provider.onKey = key => secrets.push(masked(key));
  const meeting = new Meeting(169_999, provider);
  meeting.connect();
  return { secrets, end: () => meeting.talks(1) };
}

const restoredStores: Exercise = {
  threat: 'T41',
  title: 'a store that is run twice from one snapshot seals nothing twice under one key and nonce',
  unit: 'pairs of runs',
  sizes: { test: 10, full: 1_000 },
  run(size, progress) {
    const failures = new Failures();
    const provider = new WatchingProvider(crypto);
    let sealed = 0;
    for (let seed = 0; seed < size; seed++) {
      const seen = new Set<string>();
      provider.onSeal = (key, nonce) => {
        const use = `${key} ${nonce}`;
        failures.unless(!seen.has(use), 'a nonce was used twice under one key');
        seen.add(use);
        sealed++;
      };
      const house = new Household(41_000 + seed, provider);
      const [lamp, first] = [house.start('lamp'), house.start('phone')];
      house.say(first, lamp, 'first run');
      // The same snapshot again: what differs is what the operating system throws, as on a real machine. Every start has
      // incarnations of its own.
      const again = {
        ...first.saved,
        bootCounter: first.saved.bootCounter - 1,
        outboxIncarnation: randomBytes(cryptoRandom, first.saved.outboxIncarnation.length),
        inboxIncarnation: randomBytes(cryptoRandom, first.saved.inboxIncarnation.length),
      };
      const second = house.start('phone', again, first.host.restart());
      failures.unless(
        house.say(second, lamp, 'second run', seconds(10)) >= 0,
        'the restored node is locked out',
      );
      failures.unless(house.say(lamp, second, 'answer', seconds(10)) >= 0, 'the restored node hears nothing');
      if (seed % 50 === 49) progress(seed + 1);
    }
    return { counts: { pairs: size, sealed }, failures: failures.list };
  },
};

const freshKeys: Exercise = {
  threat: 'T41',
  title: 'two processes that begin with the same state draw different ephemeral keys and indices',
  unit: 'handshakes',
  sizes: { test: 200, full: 20_000 },
  run(size) {
    const failures = new Failures();
    const seen = new Set<string>();
    const keys = crypto.dhKeyPair(new Uint8Array(32).fill(3));
    const theirs = crypto.dhKeyPair(new Uint8Array(32).fill(4));
    for (let i = 0; i < size; i++) {
      const noise = new HandshakeState({
        provider: crypto,
        random: cryptoRandom,
        protocolName: SUITE,
        role: 'initiator',
        prologue: new Uint8Array(0),
        staticKeyPair: keys,
        remoteStatic: theirs.publicKey,
      });
      const ephemeral = Buffer.from(noise.writeMessage(new Uint8Array(0)).subarray(0, 32)).toString('hex');
      failures.unless(!seen.has(ephemeral), 'an ephemeral key was used twice');
      seen.add(ephemeral);
      noise.destroy();
    }
    return { counts: { handshakes: size }, failures: failures.list };
  },
};

const timing: Exercise = {
  threat: 'T31',
  title: 'comparing a MAC takes the same time wherever the first difference is',
  unit: 'calls for each class',
  sizes: { full: 1_000_000 },
  run(size, progress) {
    const failures = new Failures();
    const counts: Record<string, string> = {};
    const mac = randomBytes(cryptoRandom, 16);
    const different = (at: number): Uint8Array => {
      const other = mac.slice();
      other[at]! ^= 0xff;
      return other;
    };
    const key = new Mac1Key(crypto, randomBytes(cryptoRandom, 32));
    const body = randomBytes(cryptoRandom, 200);
    const right = key.compute(body);
    const wrongAt = (at: number): Uint8Array => {
      const other = right.slice();
      other[at]! ^= 0xff;
      return other;
    };
    const cases: readonly TimingCase[] = [
      {
        name: 'equal: same or different at once',
        call: other => crypto.equal(mac, other),
        classes: [mac, different(0)],
      },
      {
        name: 'equal: different at the first or the last byte',
        call: other => crypto.equal(mac, other),
        classes: [different(0), different(15)],
      },
      {
        name: 'mac1: wrong at the first or the last byte',
        call: other => key.verify(body, other),
        classes: [wrongAt(0), wrongAt(15)],
      },
    ];
    for (const timed of cases) {
      const { name } = timed;
      const calls = name.startsWith('mac1') ? Math.ceil(size / 10) : size;
      const t = welch(timed, calls);
      counts[name] = `t = ${t.toFixed(2)}`;
      failures.unless(Math.abs(t) < 4.5, `${name}: t = ${t.toFixed(2)}`);
      progress(calls);
    }
    return { counts, failures: failures.list };
  },
};

/** A call whose time must not depend on which of two contents it is given. */
interface TimingCase {
  readonly name: string;
  readonly call: (content: Uint8Array) => unknown;
  readonly classes: readonly [Uint8Array, Uint8Array];
}

/** Calls in one measurement: a single call is shorter than what the clock can tell. */
const BATCH = 200;

/** Welch's t of the times of two classes of calls, taken in random order; the slowest tenth is noise of the machine. */
function welch({ call, classes }: TimingCase, calls: number): number {
  const batches = Math.ceil(calls / BATCH);
  const times: [number[], number[]] = [[], []];
  const order = new Uint8Array(2 * batches);
  cryptoRandom.fill(order);
  // One buffer for both: where in memory something lies takes its own time.
  const content = new Uint8Array(classes[0].length);
  for (let warm = 0; warm < 50_000; warm++) {
    content.set(classes[warm & 1]!);
    call(content);
  }
  for (const byte of order) {
    const chosen = (byte & 1) as 0 | 1;
    content.set(classes[chosen]);
    const start = process.hrtime.bigint();
    for (let i = 0; i < BATCH; i++) call(content);
    times[chosen].push(Number(process.hrtime.bigint() - start));
  }
  const limit = [...times[0], ...times[1]].sort((x, y) => x - y)[Math.floor(order.length * 0.9)]!;
  const [x, y] = times.map(all => moments(all.filter(time => time <= limit)));
  return (x!.mean - y!.mean) / Math.sqrt(x!.variance / x!.count + y!.variance / y!.count);
}

function moments(values: readonly number[]): { mean: number; variance: number; count: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance, count: values.length };
}

export const keyThreats: readonly Exercise[] = [
  impersonation,
  oldTraffic,
  keysInMemory,
  keysBefore,
  restoredStores,
  freshKeys,
  timing,
];
