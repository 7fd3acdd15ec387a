import { type Instant, instant, milliseconds, randomBytes, seconds } from '../../src/base/index.js';
import { MAC_LENGTH } from '../../src/session/handshake-packets.js';
import { Mac1Key } from '../../src/crypto/index.js';
import { firstByte, type PacketKind, type SocketAddress, writeUint32 } from '../../src/wire/index.js';
import { EndpointMachine } from '../session/endpoint-machine.js';
import { type Exercise, Failures } from './exercise.js';
import { addressOf, crypto, kindOf } from './household.js';
import { Meeting } from './meeting.js';
import { heldMemory } from './memory.js';

const VICTIM = addressOf('203.0.113.50:5050');

const pendingFlood: Exercise = {
  threat: 'T5',
  title: 'a flood of message 1, unproved and proved, leaves bounded state and lets the live session talk',
  unit: 'forged message 1 (and up to 1,000 with real keys)',
  sizes: { test: 3_000, full: 500_000 },
  async run(size, progress) {
    const failures = new Failures();
    const meeting = new Meeting(5);
    const { left, right, b, world } = meeting;
    meeting.connect();
    const real = left.sent[0]!.bytes;
    const [before, sessions] = [right.endpoint.paths.size, right.endpoint.sessionCount];
    for (const side of [left, right]) side.sent.length = side.received.length = side.events.length = 0;
    const held = await heldMemory();
    const answered = { bad: 0, good: 0, cookies: 0 };
    const flood = (bytes: Uint8Array, i: number): PacketKind | undefined => {
      right.endpoint.handleDatagram(
        b.now(),
        1,
        addressOf(`203.0.${i % 100}.${1 + (i % 250)}:${1 + (i % 60_000)}`),
        bytes,
      );
      const waiting = right.sent.length;
      while (right.pollTransmit(b.now()));
      const [answer] = right.sent.splice(waiting);
      return answer && kindOf(answer.bytes);
    };
    for (let i = 0; i < size; i++) {
      const forged = real.slice();
      writeUint32(forged, 4, i);
      if (flood(forged, i) !== undefined) answered.bad++;
      if (i % 50_000 === 0) progress(i);
    }
    const attackers = Math.min(1_000, Math.ceil(size / 10)); // More than may be pending.
    let most = 0;
    for (let i = 0; i < attackers; i++) {
      const attacker = new Meeting(50_000 + i);
      attacker.left.dial(attacker.a.now(), b.address(1_000), right.keys.publicKey);
      attacker.left.pollTransmit(attacker.a.now());
      const kind = flood(attacker.left.sent[0]!.bytes, i);
      if (kind === 'response') answered.good++;
      if (kind === 'cookie') answered.cookies++;
      most = Math.max(most, right.endpoint.paths.size);
    }
    const grown = (await heldMemory()) - held;
    failures.unless(answered.bad === 0, `${answered.bad} answers to a wrong mac1`);
    failures.unless(answered.good <= 33, `${answered.good} handshakes were pending at once`);
    failures.unless(
      answered.good + answered.cookies === attackers,
      'somebody who knows the key got neither an answer nor a cookie',
    );
    failures.unless(most <= before + 34, `${most} paths were held`);
    failures.unless(right.endpoint.sessionCount === sessions, 'an unproved handshake counts as a session');
    failures.unless(meeting.talks(1_000), 'the live session is not heard');
    world.runNow(seconds(11));
    failures.unless(right.endpoint.paths.size <= before + 1, `${right.endpoint.paths.size} paths are left`);
    // 33 pending sessions, their handshakes and paths; the attackers of the test are in the same heap.
    failures.unless(grown <= 64 * 2 ** 20, `${grown} bytes of growth`);
    return {
      counts: {
        badMac1: size,
        goodMac1: attackers,
        pendingAtOnce: answered.good,
        cookies: answered.cookies,
        heapGrowthMiB: +(grown / 2 ** 20).toFixed(1),
        pathsLeft: right.endpoint.paths.size,
      },
      failures: failures.list,
    };
  },
};

const nonces: Exercise = {
  threat: 'T6',
  title: 'the nonce of a retry counts for the address it was given to, and for twenty seconds',
  unit: 'retries',
  sizes: { test: 20, full: 1_000 },
  run(size) {
    const failures = new Failures();
    for (let seed = 0; seed < size; seed++) {
      const meeting = new Meeting(6_000 + seed);
      const { left, right, a, b, world } = meeting;
      const fresh: boolean[] = [];
      right.judge = request => {
        fresh.push(request.fresh);
        return request.fresh ? { verdict: 'drop', reason: 'refusedPeer' } : { verdict: 'retry' };
      };
      world.runNow(seconds(seed % 25));
      meeting.connect();
      const withNonce = left.sent.filter(({ bytes }) => kindOf(bytes) === 'initiation').at(-1)!.bytes;
      const at = fresh.length;
      right.handleDatagram(b.now(), 1, VICTIM, withNonce.slice());
      right.handleDatagram(b.now(), 1, a.address(1_000), withNonce.slice());
      right.handleDatagram(instant(b.now() + 20_001), 1, a.address(1_000), withNonce.slice());
      failures.unless(fresh.slice(0, at).includes(true), 'the nonce does not count where it was given');
      failures.unless(
        fresh.slice(at).join() === 'false,true,false',
        `elsewhere, here, later: ${fresh.slice(at).join()}`,
      );
    }
    return { counts: { retries: size, misuses: 2 * size }, failures: failures.list };
  },
};

/** Virtual flood: datagrams in a millisecond. */
const FLOOD_PER_MS = 50;

const newcomers: Exercise = {
  threat: 'T5',
  title:
    'newcomers are let in within a second while message 1 with a right mac1 comes from spoofed addresses',
  unit: 'virtual seconds of 50,000 a second',
  sizes: { test: 1, full: 60 },
  run(size, progress) {
    const failures = new Failures();
    const meeting = new Meeting(55);
    const { left, right, b, world } = meeting;
    meeting.connect();
    const mac1 = new Mac1Key(crypto, right.keys.publicKey);
    // Most open to nothing; the last ones were recorded, and open to members whose keys the attacker has not.
    const packets = Array.from({ length: 200 }, (_, i) => {
      const packet: Uint8Array = new Uint8Array(1_000).fill(i);
      packet.set([firstByte('initiation'), 1, 0, 0]);
      packet.fill(0, 984);
      packet.set(mac1.compute(packet.subarray(0, 968)), 968);
      return packet;
    });
    for (let i = 0; i < 56; i++) {
      const recorded = new Meeting(5_600 + i);
      recorded.left.dial(recorded.a.now(), b.address(1_000), right.keys.publicKey);
      recorded.left.pollTransmit(recorded.a.now());
      packets.push(recorded.left.sent[0]!.bytes);
    }
    const took: number[] = [];
    const waiting = new Map<EndpointMachine, number>();
    let [sent, most, paths] = [0, 0, 0];
    const { floor } = Math;
    const sources = Array.from({ length: 4_096 }, (_, i) =>
      addressOf(`203.0.${floor(i / 256)}.${i % 256}:${1 + (i % 60_000)}`),
    );
    for (let ms = 0; ms < size * 1_000; ms++) {
      for (let i = 0; i < FLOOD_PER_MS; i++, sent++) {
        const from = sources[world.random.below(sources.length)]!;
        right.handleDatagram(b.now(), 1, from, packets[sent % packets.length]!.slice());
      }
      meeting.turn();
      right.sent.length = right.received.length = 0;
      most = Math.max(most, right.endpoint.size);
      paths = Math.max(paths, right.endpoint.paths.size);
      if (ms % 100 === 0) {
        const host = world.host({ name: `newcomer ${ms}` });
        const machine = new EndpointMachine(crypto, host, crypto.dhKeyPair(randomBytes(host.random, 32)));
        machine.dial(host.now(), b.address(1_000), right.keys.publicKey);
        host.attach(machine, { port: 1_000 }).turn();
        waiting.set(machine, ms);
      }
      world.runNow(milliseconds(1));
      for (const [machine, since] of waiting)
        if (machine.kinds().includes('opened')) {
          took.push(ms - since + 1);
          waiting.delete(machine);
        }
      progress(ms / 1_000);
    }
    world.runNow(seconds(1));
    for (const [machine, since] of waiting)
      took.push(machine.kinds().includes('opened') ? size * 1_000 - since + 1_000 : Infinity);
    took.sort((x, y) => x - y);
    const p99 = took[floor(took.length * 0.99)]!;
    failures.unless(p99 <= 1_000, `a newcomer waited ${p99} ms`);
    failures.unless(took.every(Number.isFinite), 'a newcomer was not let in');
    const honest = took.length + 1;
    failures.unless(most <= 2 * honest + 33, `${most} sessions and handshakes were held`);
    failures.unless(paths <= 2 * honest + 8 * 33 + 1, `${paths} paths were held`);
    failures.unless(meeting.talks(1_000), 'the live session is not heard');
    failures.unless(!left.kinds().includes('closed'), 'the live session was closed');
    return {
      counts: { flood: sent, newcomers: took.length, p99Ms: p99, sessionsAtMost: most, pathsAtMost: paths },
      failures: failures.list,
    };
  },
};

const cookies: Exercise = {
  threat: 'T6',
  title: 'a cookie counts for the address it was given to, and for four minutes at most',
  unit: 'cookies',
  sizes: { test: 10, full: 500 },
  run(size) {
    const failures = new Failures();
    for (let seed = 0; seed < size; seed++) {
      const { left, right, a, b, world } = new Meeting(6_500 + seed);
      let judged = 0;
      right.judge = () => {
        judged++;
        return { verdict: 'drop', reason: 'refusedPeer' };
      };
      world.runNow(seconds((seed * 13) % 240));
      left.dial(a.now(), b.address(1_000), right.keys.publicKey);
      left.pollTransmit(a.now());
      const first = left.sent[0]!.bytes;
      /** Whether a message 1 is opened while the node has all to do that it does for strangers. */
      const isOpened = (after: number, from: SocketAddress, packet: Uint8Array): boolean => {
        const now = instant(b.now() + after);
        load(now);
        const before = judged;
        right.handleDatagram(now, 1, from, packet.slice());
        while (right.pollTransmit(now));
        return judged > before;
      };
      const load = (now: Instant): void => {
        const asked = right.drops.get('cookieAsked');
        while (right.drops.get('cookieAsked') === asked) {
          right.handleDatagram(now, 1, VICTIM, first.slice());
          while (right.pollTransmit(now));
        }
      };
      const home = a.address(1_000);
      failures.unless(!isOpened(0, home, first), 'a loaded node opens what proves nothing');
      const answer = right.sent.findLast(({ to }) => to === home.key)!.bytes;
      left.handleDatagram(a.now(), 1, b.address(1_000), answer.slice());
      left.pollTransmit(a.now());
      const proved = left.sent.at(-1)!.bytes;
      const ports = { ...home, port: home.port + 1, key: `${home.host}:${home.port + 1}` };
      failures.unless(isOpened(0, home, proved), 'the cookie does not count where it was given');
      failures.unless(isOpened(119_000, home, proved), 'the cookie does not count for two minutes');
      failures.unless(!isOpened(119_000, VICTIM, proved), 'the cookie counts at another address');
      failures.unless(!isOpened(119_000, ports, proved), 'the cookie counts at another port');
      failures.unless(!isOpened(241_000, home, proved), 'the cookie counts after 241 s');
      const forged = first.slice();
      forged.set(new Uint8Array(MAC_LENGTH).fill(seed + 1), forged.length - MAC_LENGTH);
      failures.unless(!isOpened(242_000, home, forged), 'a forged mac2 counts');
    }
    return { counts: { cookies: size, misuses: 5 * size }, failures: failures.list };
  },
};

export const strangerThreats: readonly Exercise[] = [pendingFlood, newcomers, nonces, cookies];
