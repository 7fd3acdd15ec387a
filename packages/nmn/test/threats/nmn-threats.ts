import {
  type ClusterEvent,
  days,
  decodeText,
  encodeText,
  instant,
  type Instant,
  type Machine,
  MemberRuntime,
  MemoryStore,
  milliseconds,
  minutes,
  seconds,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import { type SimulatedHost, SimulatedWorld } from '@coconet/cluster-protocol/testing';
import { encodeStun, firstByte, PACKET_KINDS } from '@coconet/cluster-protocol/wire';

import { type Exercise, Failures } from '../../../cluster-protocol/test/threats/exercise.js';
import { spoofed } from '../../../cluster-protocol/test/threats/handshake-threats.js';
import { Tap } from '../../../cluster-protocol/test/threats/household.js';
import { mutated } from '../../../cluster-protocol/test/threats/member-threats.js';
import { heldMemory } from '../../../cluster-protocol/test/threats/memory.js';
import { resolve } from '../support/members.js';
import { foundNetwork, invite, startNmn } from '../support/simulated-nmn.js';
import { address } from '../support/surroundings.js';

const crypto = await createCryptoProvider();
const SERVICE = 0x8000;
const VICTIM = address('203.0.113.50', 5_050);

/** An NMN with a network, an owner, and whoever joins. */
async function home(seed: number) {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn: () => new Promise(setImmediate) });
  const taps: Tap<unknown>[] = [];
  const nmn = startNmn(crypto, tapped(world.host({ name: 'nmn' }), taps));
  const during = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    promise.then(end, end);
    await world.until(() => settled, seconds(60), 'the promise');
    return promise;
  };
  const { owner, network } = await during(foundNetwork(nmn, world.host({ name: 'owner' })));
  const join = async (name: string, kind: 'device' | 'client', host: SimulatedHost) => {
    const uri = await during(invite(nmn, owner, network, kind, name));
    const member = await during(
      MemberRuntime.open({
        host,
        store: new MemoryStore(),
        join: uri,
        kind,
        name,
        resolve,
        allowDocumentationAddresses: true,
      }),
    );
    const events: ClusterEvent[] = [];
    member.on(event => events.push(event));
    return { member, events, host };
  };
  return { world, nmn, owner, network, join, during, tap: taps[0]! };
}

/** The host, with a tap between every machine on it and its socket. */
function tapped(host: SimulatedHost, taps: Tap<unknown>[]): SimulatedHost {
  return new Proxy(host, {
    get(target, name) {
      if (name === 'attach')
        return (machine: Machine<unknown>, ...rest: [never, never]) => {
          const tap = new Tap(machine);
          tap.recording = false;
          taps.push(tap);
          return target.attach(tap, ...rest);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const texts = (events: readonly ClusterEvent[]): string[] =>
  events.flatMap(event => (event.kind === 'message' ? [decodeText(event.bytes) ?? ''] : []));

const reflection: Exercise = {
  threat: 'T3',
  title: 'no packet of any kind, STUN included, makes the NMN send more than it got to a spoofed address',
  unit: 'random mutations',
  sizes: { test: 500, full: 50_000 },
  async run(size, progress) {
    const failures = new Failures();
    const { world, nmn, tap, join } = await home(3);
    tap.recording = true;
    const lamp = await join('lamp', 'device', world.host({ name: 'lamp' }));
    lamp.member.do((node, now) => node.close(now));
    const seen = [...tap.received, ...tap.sent].map(({ bytes }) => bytes);
    tap.recording = false;
    const newer = seen.find(bytes => bytes[0] === firstByte('initiation'))!.slice();
    newer[1] = 9;
    const packets = distinct([
      ...seen,
      newer,
      encodeStun({ kind: 'request', transactionId: new Uint8Array(12).fill(1) }),
      encodeStun({ kind: 'request', transactionId: new Uint8Array(12).fill(1), software: 'x'.repeat(60) }),
      ...PACKET_KINDS.map(kind => Uint8Array.of(firstByte(kind), ...new Uint8Array(60))),
    ]);
    const worst = { requests: 0, answered: 0, packets: 0, ratio: 0 };
    let now = Number(nmn.host.now());
    for (const bytes of spoofed(packets, world.random, size)) {
      const out = reflected(nmn.machine, instant((now += 2_000)), bytes.slice());
      worst.requests++;
      worst.answered += out.packets > 0 ? 1 : 0;
      worst.packets = Math.max(worst.packets, out.packets);
      worst.ratio = Math.max(worst.ratio, out.bytes / bytes.length);
      failures.unless(out.bytes <= bytes.length, 'more bytes went out than came in');
      failures.unless(out.packets <= 1, 'more than one packet went out');
      if (worst.requests % 5_000 === 0) progress(worst.requests);
    }
    const { requests, answered, ratio } = worst;
    const counts = {
      requests,
      answered,
      bytesOutPerByteIn: +ratio.toFixed(3),
      packetsPerRequest: worst.packets,
    };
    return { counts, failures: failures.list };
  },
};

/** What reaches the victim at once and in the seconds after it. */
function reflected(
  machine: Machine<unknown>,
  now: Instant,
  bytes: Uint8Array,
): { packets: number; bytes: number } {
  const out = { packets: 0, bytes: 0 };
  const drain = (at: Instant): void => {
    for (let sent = machine.pollTransmit(at); sent; sent = machine.pollTransmit(at)) {
      if (sent.remote.key !== VICTIM.key) continue;
      out.packets++;
      out.bytes += sent.bytes.length;
    }
    while (machine.pollEvent() !== undefined);
  };
  machine.handleDatagram(now, 1, VICTIM, bytes);
  drain(now);
  for (const later of [20, 250, 1_000]) {
    machine.handleTimeout(instant(now + later));
    drain(instant(now + later));
  }
  return out;
}

const hostileRelay: Exercise = {
  threat: 'T18',
  title:
    'a relay that reads, drops, delays, doubles, flips and swaps gets no plaintext and causes loss alone',
  unit: 'messages each way',
  sizes: { test: 60, full: 2_000 },
  async run(size, progress) {
    const failures = new Failures();
    const { world, nmn, tap, join } = await home(18);
    const inside = ['a', 'b', 'c'].map(name => world.network.lan({ name, nat: 'symmetric' }));
    const [lamp, phone, door] = [
      await join('lamp', 'device', world.host({ name: 'lamp', on: inside[0]! })),
      await join('phone', 'client', world.host({ name: 'phone', on: inside[1]! })),
      await join('door', 'device', world.host({ name: 'door', on: inside[2]! })),
    ];
    await world.run(seconds(3)); // Everybody hears of everybody.
    const { random } = world;
    const counts = { relayed: 0, dropped: 0, delayed: 0, doubled: 0, flipped: 0, swapped: 0, plaintext: 0 };
    const recent = new Map<number, Uint8Array>();
    tap.withhold = (remote, bytes) => {
      if (bytes[0] !== firstByte('relay')) return false;
      counts.relayed++;
      if (Buffer.from(bytes).includes('SECRET')) counts.plaintext++;
      const copy = bytes.slice();
      const later = (): void => {
        world.timeline.after(milliseconds(random.below(300)), () => {
          nmn.machine.handleDatagram(nmn.host.now(), 1, remote, copy.slice());
          nmn.turn();
          return false;
        });
      };
      const other = recent.get(bytes.length);
      recent.set(bytes.length, copy);
      switch (random.below(20)) {
        case 0:
          counts.dropped++;
          return true;
        case 1:
          counts.delayed++;
          later();
          return true;
        case 2:
          counts.doubled++;
          later();
          return false;
        case 3:
          counts.flipped++;
          bytes[5 + random.below(bytes.length - 5)]! ^= 1 << random.below(8);
          return false;
        case 4:
          if (other === undefined) return false;
          counts.swapped++;
          bytes.set(other.subarray(5), 5);
          return false;
        default:
          return false;
      }
    };
    const said: Record<string, string[]> = { lamp: [], phone: [], door: [] };
    for (let i = 0; i < size; i++) {
      for (const [from, to] of [
        [phone, lamp],
        [lamp, phone],
        [phone, door],
      ] as const) {
        const text = `SECRET ${i} to ${to.host.name}`;
        said[to.host.name]!.push(text);
        from.member.do((node, now) => node.send(now, to.member.node.nodeId, SERVICE, encodeText(text)));
      }
      await world.run(milliseconds(40));
      if (i % 100 === 99) progress(i + 1);
    }
    await world.run(seconds(30));
    for (const who of [lamp, phone, door]) {
      const heard = texts(who.events);
      failures.unless(heard.length === new Set(heard).size, `${who.host.name} heard something twice`);
      failures.unless(
        sameSet(heard, said[who.host.name]!),
        `${who.host.name} did not hear exactly what was said to it`,
      );
    }
    failures.unless(counts.plaintext === 0, 'the relay could read');
    failures.unless(counts.relayed > size, 'nothing went over the relay: the test tests nothing');
    return { counts, failures: failures.list };
  },
};

const clocks: Exercise = {
  threat: 'T12',
  title: 'devices with clocks of every kind join, are heard, and survive a jump in the middle of a session',
  unit: 'rounds through all clocks',
  sizes: { test: 1, full: 20 },
  async run(size, progress) {
    const failures = new Failures();
    const errors = {
      'at 1970': -56 * 365.25,
      '10 years behind': -3_652,
      '1 hour behind': -1 / 24,
      '6 minutes behind': -6 / 1_440,
      '4 minutes behind': -4 / 1_440,
      '4 minutes ahead': 4 / 1_440,
      '6 minutes ahead': 6 / 1_440,
      '10 years ahead': 3_652,
    };
    for (let round = 0; round < size; round++) {
      const { world, join, during } = await home(1_200 + round);
      const phone = await join('phone', 'client', world.host({ name: 'phone' }));
      for (const [what, error] of Object.entries(errors)) {
        const host = world.host({ name: what, wallClockError: days(error) });
        try {
          const device = await join(what.replaceAll(' ', '-'), 'device', host);
          const say = async (text: string): Promise<void> => {
            device.member.do((node, now) =>
              node.send(now, phone.member.node.nodeId, SERVICE, encodeText(text)),
            );
            await world.until(() => texts(phone.events).includes(text), seconds(10), text);
          };
          await say(`${what}: joined`);
          host.jumpWallClock(minutes(-600));
          await say(`${what}: ten hours back`);
          host.jumpWallClock(days(4_000));
          await say(`${what}: eleven years on`);
          await during(device.member.close());
        } catch (error) {
          failures.unless(false, `${what}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      progress(round + 1);
    }
    return { counts: { clocks: Object.keys(errors).length * size }, failures: failures.list };
  },
};

const nonsense: Exercise = {
  threat: 'T44',
  title: 'mutations of everything recorded at an NMN throw nothing, end no session and leave nothing behind',
  unit: 'mutated datagrams',
  sizes: { test: 10_000, full: 1_000_000 },
  async run(size, progress) {
    const failures = new Failures();
    const { world, nmn, tap, join } = await home(44);
    tap.recording = true;
    await join('lamp', 'device', world.host({ name: 'lamp' }));
    const recorded = [...tap.received, ...tap.sent].map(({ bytes }) => bytes);
    recorded.push(encodeStun({ kind: 'request', transactionId: new Uint8Array(12).fill(1) }));
    tap.recording = false;
    await world.run(seconds(5));
    const sessions = nmn.machine.sessionCount;
    const sources = [VICTIM, address('198.51.100.9', 9), address('2001:db8::4', 4)];
    const before = await heldMemory();
    for (let i = 0; i < size; i++) {
      const bytes = mutated(recorded, world.random);
      tap.handleDatagram(nmn.host.now(), 1, sources[i % 3]!, bytes);
      if (i % 200 === 199) {
        nmn.turn();
        await world.run(milliseconds(50));
      }
      if (i % 10_000 === 9_999) progress(i + 1);
    }
    await world.run(seconds(12));
    const grown = (await heldMemory()) - before;
    failures.unless(
      nmn.machine.sessionCount === sessions,
      `${nmn.machine.sessionCount} sessions, before ${sessions}`,
    );
    failures.unless(grown < 8 * 2 ** 20, `${grown} bytes of growth`);
    const late = await join('late', 'device', world.host({ name: 'late' }));
    failures.unless(late.member.node.nodeId > 0, 'nobody can join any more');
    return {
      counts: { datagrams: size, heapGrowthMiB: +(grown / 2 ** 20).toFixed(1) },
      failures: failures.list,
    };
  },
};

export const nmnThreats: readonly Exercise[] = [reflection, hostileRelay, clocks, nonsense];

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join() === [...b].sort().join();

/** One packet of each first byte and length. */
function distinct(packets: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(packets.map(packet => [`${packet[0]} ${packet.length}`, packet])).values()];
}
