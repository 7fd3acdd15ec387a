import {
  type Instant,
  instant,
  type Machine,
  packetKind,
  type SocketAddress,
} from '@coconet/cluster-protocol/core';

/** One way, between any two. */
const DELAY_MS = 5;
/** Events in one stretch of time; more means that two machines never come to rest. */
const MOST_STEPS = 20_000;
/** Above this the network of an arena has no room. */
const MOST_FLYING = 2_000;
/** A path that nobody proved gets at most so many times what came from it (docs/spec/03-session.md, "Paths"). */
const AMPLIFICATION = 3;

/** The link that every machine of an arena has. */
export const LINK = 1;

/** Somebody in an arena. */
export interface Inhabitant {
  readonly machine: Machine<unknown>;
  readonly address: SocketAddress;
  readonly onEvent: (event: never) => void;
}

/** A datagram that somebody sent. */
export interface Sent {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
}

/**
 * Some machines, virtual time and a network that loses nothing by itself; and strangers, who hand the first machine, the
 * victim, what they like.
 */
export class Arena {
  now: Instant = instant(10_000);
  /** Ms of real time that the victim needed for one datagram or time-out at most. */
  slowest = 0;
  /** What must not be. */
  readonly flaws: string[] = [];
  /** Datagrams of honest machines, as long as they are wanted. */
  recorded: Sent[] | undefined;
  /** Called for each datagram before it leaves; false keeps it back. */
  passes: (sent: Sent) => boolean = () => true;
  /** Called for each datagram that reaches the victim in an honest way. */
  onArrival: (sent: Sent) => void = () => undefined;
  readonly #all: Inhabitant[] = [];
  readonly #flying: { readonly at: number; readonly sent: Sent }[] = [];
  /** Bytes to a stranger's address, less those it has paid for. */
  readonly #debts = new Map<string, number>();
  #transmits = 0;
  #events = 0;

  get victim(): Inhabitant {
    return this.#all[0]!;
  }

  /** Datagrams and events of the victim so far. */
  get reactions(): number {
    return this.#transmits + this.#events;
  }

  /** Adds a machine; the first is the victim. */
  add(inhabitant: Inhabitant): void {
    this.#all.push(inhabitant);
    const { host, port, family } = inhabitant.address;
    const prefixLength = family === 4 ? 24 : 64;
    const addresses = [{ host, prefixLength, interfaceName: 'eth0', internal: false }];
    inhabitant.machine.handleLinks(this.now, [{ id: LINK, kind: 'udp', family, port, addresses }]);
    this.drain(inhabitant);
  }

  /** Hands the victim a datagram as if it had come from an address, and lets it answer. */
  inject(from: SocketAddress, bytes: Uint8Array): void {
    if (!this.#at(from))
      this.#debts.set(from.key, (this.#debts.get(from.key) ?? 0) - bytes.length * AMPLIFICATION);
    const { machine } = this.victim;
    const start = performance.now();
    machine.handleDatagram(this.now, LINK, from, bytes);
    this.#took(start);
    this.drain(this.victim);
  }

  /** Runs a verb of somebody's program, and lets it send. */
  act(who: Inhabitant, verb: (now: Instant) => void): void {
    verb(this.now);
    this.drain(who);
  }

  /** Takes what a machine has to send and to tell. */
  drain(who: Inhabitant): void {
    const { machine } = who;
    const isVictim = who === this.victim;
    for (let quiet = false; !quiet;) {
      quiet = true;
      for (let out = machine.pollTransmit(this.now); out; out = machine.pollTransmit(this.now)) {
        quiet = false;
        if (isVictim) this.#transmits++;
        this.#launch({ from: who.address, to: out.remote, bytes: out.bytes.slice() });
      }
      for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) {
        quiet = false;
        if (isVictim) this.#events++;
        who.onEvent(event as never);
      }
    }
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let steps = 0; ; steps++) {
      if (steps > MOST_STEPS) {
        this.flaws.push('the machines never come to rest');
        return;
      }
      const due = Math.min(
        this.#flying[0]?.at ?? Infinity,
        ...this.#all.map(({ machine }) => machine.pollTimeout() ?? Infinity),
      );
      if (due > end) break;
      this.now = instant(Math.max(this.now, due));
      this.#deliver();
      for (const who of this.#all) this.#expire(who);
    }
    this.now = instant(end);
  }

  #expire(who: Inhabitant): void {
    const due = who.machine.pollTimeout();
    if (due === undefined || due > this.now) return;
    const start = performance.now();
    who.machine.handleTimeout(this.now);
    if (who === this.victim) this.#took(start);
    this.drain(who);
  }

  #deliver(): void {
    while (this.#flying.length > 0 && this.#flying[0]!.at <= this.now) {
      const { sent } = this.#flying.shift()!;
      const to = this.#at(sent.to);
      if (!to) continue;
      if (to === this.victim) this.onArrival(sent);
      const start = performance.now();
      to.machine.handleDatagram(this.now, LINK, sent.from, sent.bytes.slice());
      if (to === this.victim) this.#took(start);
      this.drain(to);
    }
  }

  #launch(sent: Sent): void {
    this.recorded?.push(sent);
    if (!this.#at(sent.to)) this.#charge(sent);
    if (this.passes(sent) && this.#flying.length < MOST_FLYING)
      this.#flying.push({ at: this.now + DELAY_MS, sent });
  }

  #charge({ to, bytes }: Sent): void {
    const debt = this.#debts.get(to.key);
    if (debt === undefined) return;
    this.#debts.set(to.key, debt + bytes.length);
    if (debt + bytes.length > 0)
      this.flaws.push(
        `a stranger is sent more than ${AMPLIFICATION} times what it sent: ${packetKind(bytes[0]!)}`,
      );
  }

  #at(address: SocketAddress): Inhabitant | undefined {
    return this.#all.find(who => who.address.key === address.key);
  }

  #took(start: number): void {
    this.slowest = Math.max(this.slowest, performance.now() - start);
  }
}

/** Bytes as a key of sets: two sums after FNV-1a with different multipliers, 53 bits in all, and the length. */
export function keyOf(bytes: Uint8Array): number {
  let low = 0x811c9dc5 ^ bytes.length;
  let high = 0x9e3779b9;
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return (low >>> 0) * 2 ** 21 + ((high >>> 0) & 0x1fffff);
}
