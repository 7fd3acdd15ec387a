import {
  DATA_HEADER,
  DATA_OVERHEAD,
  dataPacketNumber,
  dataReceiverIndex,
  isDataPacket,
  isRelayPacket,
  packetKind,
  type PacketKind,
  RELAY_HEADER,
  writeDataHeader,
  dataKeyPhase,
} from '@coconet/cluster-protocol/core';
import type { SeededRandom } from '@coconet/cluster-protocol/testing';

import { mutate, noise, pick, simplerBytes } from '../byte-mutator.js';
import { changeFrames } from '../frame-mutator.js';
import type { Outcome, Subject } from '../subject.js';
import { keyOf, type Sent } from './arena.js';
import type { Scene, SceneMaker } from './scene.js';
import { decodeScript, encodeScript, MOST_STEPS, type Step } from './script.js';

/** Seeds of each scene: what is random in it is no more than keys and numbers. */
const SEEDS = 3;
/** Datagrams and packets of a recorded session that are changed. */
const MOST_RECORDED = 160;
/** Waits are at most 2 to the power of this, in ms: longer than any time-out of a session. */
const LONGEST_WAIT = 15;
const MOST_DATAGRAM = 1_500;
/** Bytes at the end of message 1 that matter to a loaded responder only. */
const MAC2 = 16;
const TAG = 16;

/** Kinds of packets that nobody can make without a key that strangers have not. */
const SECURED: ReadonlySet<PacketKind | undefined> = new Set([
  'initiation',
  'response',
  'data',
  'reset',
  'refusal',
  'retry',
  'cookie',
]);

/** Reasons for which a packet is dropped before anybody is believed to have sent it. */
const STRANGE: ReadonlySet<string> = new Set([
  'empty',
  'tooLong',
  'unknownKind',
  'malformed',
  'badMac1',
  'unknownIndex',
  'badTag',
  'replayed',
  'tooOld',
  'unknownChannel',
  'relay unknownChannel',
]);

/** What an ordinary session in a scene looks like: the material of mutants. */
interface Recording {
  readonly datagrams: readonly Uint8Array[];
  readonly packets: readonly Uint8Array[];
  /** Datagrams as a key of a set; those of honest machines are no forgeries. */
  readonly honest: ReadonlySet<number>;
}

/** Machines in all their states, given datagrams and frames by strangers and by a peer that follows no rule. */
export class MachineSubject implements Subject {
  readonly seeds: readonly Uint8Array[];
  readonly #names: readonly string[];
  readonly #makers: readonly SceneMaker[];
  readonly #recordings = new Map<number, Recording>();

  constructor(scenes: Readonly<Record<string, SceneMaker>>) {
    this.#names = Object.keys(scenes);
    this.#makers = Object.values(scenes);
    this.seeds = this.#names.map((_, scene) => encodeScript({ scene, seed: 0, steps: [] }));
  }

  generate(random: SeededRandom, interesting: readonly Uint8Array[]): Uint8Array {
    const old = random.below(3) === 0 ? decodeScript(pick(random, interesting)) : undefined;
    const scene = old?.scene ?? random.below(this.#makers.length);
    const seed = old?.seed ?? random.below(SEEDS);
    const recording = this.#recordingOf(scene, seed);
    const hostile = random.below(2) === 0;
    const fresh = (): Step => newStep(random, recording, hostile);
    if (!old)
      return encodeScript({ scene, seed, steps: Array.from({ length: 1 + random.below(64) }, fresh) });
    const steps = [...old.steps];
    for (let left = 1 + random.below(6); left > 0; left--) {
      const at = random.below(steps.length + 1);
      const step = steps[at];
      const way = random.below(4);
      if (way === 0 || step === undefined) steps.splice(at, 0, fresh());
      else if (way === 1) steps.splice(at, 1);
      else if (way === 2) steps.splice(random.below(steps.length), 0, step);
      else steps[at] = changeStep(random, step, recording);
    }
    return encodeScript({ scene, seed, steps: steps.slice(0, MOST_STEPS) });
  }

  run(bytes: Uint8Array): Outcome {
    const script = decodeScript(bytes);
    const index = script.scene % this.#makers.length;
    const scene = this.#makers[index]!(script.seed % SEEDS);
    const run = new Run(this.#names[index]!, scene, () => this.#recordingOf(index, script.seed).honest);
    for (const step of script.steps) run.take(step);
    return run.end();
  }

  *simpler(bytes: Uint8Array): Iterable<Uint8Array> {
    const script = decodeScript(bytes);
    const { steps } = script;
    const withSteps = (others: readonly Step[]): Uint8Array => encodeScript({ ...script, steps: others });
    for (let length = steps.length >> 1; length >= 1; length >>= 1)
      for (let at = 0; at < steps.length; at += length)
        yield withSteps([...steps.slice(0, at), ...steps.slice(at + length)]);
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at]!;
      if (!('bytes' in step)) continue;
      for (const fewer of simplerBytes(step.bytes))
        yield withSteps(steps.with(at, { ...step, bytes: fewer }));
    }
  }

  #recordingOf(scene: number, seed: number): Recording {
    const index = scene % this.#makers.length;
    const key = index * SEEDS + (seed % SEEDS);
    const known = this.#recordings.get(key);
    if (known) return known;
    const made = record(this.#makers[index]!(seed % SEEDS));
    this.#recordings.set(key, made);
    return made;
  }
}

/** Lets a scene live on and writes down what passes between the victim and the others. */
function record(scene: Scene): Recording {
  const { arena } = scene;
  const passed: Sent[] = [];
  arena.recorded = passed;
  scene.live();
  arena.recorded = undefined;
  const all = passed.map(({ bytes }) => bytes);
  const honest = new Set(all.map(bytes => keyOf(essenceOf(bytes))));
  const packets = all.filter(isDataPacket).map(bytes => bytes.subarray(DATA_HEADER, bytes.length - TAG));
  return { datagrams: spread(all), packets: spread(packets), honest };
}

/** The beginning, and some of the rest. */
function spread(all: readonly Uint8Array[]): readonly Uint8Array[] {
  if (all.length <= MOST_RECORDED) return all;
  const first = all.slice(0, MOST_RECORDED / 2);
  const every = Math.ceil((all.length - first.length) / (MOST_RECORDED / 2));
  return [...first, ...all.slice(first.length).filter((_, i) => i % every === 0)];
}

/** What of a datagram is protected: everything but the second MAC of message 1. */
const essenceOf = (bytes: Uint8Array): Uint8Array =>
  packetKind(bytes[0] ?? 0) === 'initiation' ? bytes.subarray(0, Math.max(0, bytes.length - MAC2)) : bytes;

function newStep(random: SeededRandom, recording: Recording, hostile: boolean): Step {
  const draw = random.below(16);
  if (draw === 0) return { kind: 'wait', exponent: random.below(LONGEST_WAIT) };
  if (draw === 1) return { kind: 'victim', verb: random.below(256), argument: random.below(256) };
  if (draw === 2) return { kind: 'peer', verb: random.below(256), argument: random.below(256) };
  if (hostile && draw < 13 && recording.packets.length > 0) {
    const bytes = changeFrames(random, pick(random, recording.packets), recording.packets);
    return { kind: 'sealed', number: random.below(4) === 0 ? random.below(256) : 0, bytes };
  }
  return {
    kind: 'clear',
    source: random.below(3) === 0 ? random.below(8) : 0,
    bytes: newDatagram(random, recording),
  };
}

function newDatagram(random: SeededRandom, { datagrams }: Recording): Uint8Array {
  if (datagrams.length === 0 || random.below(32) === 0) return noise(random, random.below(64));
  const bytes = pick(random, datagrams);
  if (random.below(8) === 0) return bytes;
  return mutate(random, bytes, pick(random, datagrams), MOST_DATAGRAM);
}

function changeStep(random: SeededRandom, step: Step, recording: Recording): Step {
  if (step.kind === 'sealed') return { ...step, bytes: changeFrames(random, step.bytes, recording.packets) };
  if (step.kind === 'clear') {
    const other = recording.datagrams.length > 0 ? pick(random, recording.datagrams) : step.bytes;
    return { ...step, bytes: mutate(random, step.bytes, other, MOST_DATAGRAM) };
  }
  if (step.kind === 'wait') return { ...step, exponent: random.below(LONGEST_WAIT) };
  return { ...step, verb: random.below(256), argument: random.below(256) };
}

/** One script on its way. */
class Run {
  readonly #name: string;
  readonly #scene: Scene;
  /** Datagrams of the recorded session; asked for only where it matters, for it takes time to record one. */
  readonly #recorded: () => ReadonlySet<number>;
  readonly #sent = new Set<number>();
  readonly #features = new Set<string>();
  readonly #flaws: string[] = [];
  /** The last packet of the peer to the victim: its keys and numbers are gone on with. */
  #packet: Uint8Array | undefined;
  #number = 0;
  #inputs = 0;
  /** Inputs that were neither dropped nor answered: the victim must have taken so many packets at least. */
  #silent = 0;
  readonly #takenBefore: number;
  #honest = true;
  #drops: Readonly<Record<string, number>>;

  constructor(name: string, scene: Scene, recorded: () => ReadonlySet<number>) {
    this.#name = name;
    this.#scene = scene;
    this.#recorded = recorded;
    this.#drops = scene.drops();
    this.#takenBefore = scene.taken();
    scene.news();
    const { arena, peer } = scene;
    const keep = arena.passes;
    arena.passes = sent => {
      this.#sent.add(keyOf(essenceOf(sent.bytes)));
      if (sent.from.key === peer.address.key && sent.to.key === arena.victim.address.key)
        this.#follow(sent.bytes);
      return keep(sent);
    };
    for (const bytes of scene.before) {
      this.#sent.add(keyOf(essenceOf(bytes)));
      this.#follow(bytes);
    }
  }

  take(step: Step): void {
    const { arena } = this.#scene;
    switch (step.kind) {
      case 'clear':
        this.#clear(step.source, step.bytes);
        return;
      case 'sealed':
        this.#sealed(step.number, step.bytes);
        return;
      case 'wait':
        arena.pass(2 ** (step.exponent % (LONGEST_WAIT + 1)));
        break;
      case 'victim':
        this.#scene.victimDoes(step.verb, step.argument);
        break;
      case 'peer':
        this.#scene.peerDoes(step.verb, step.argument);
        break;
    }
    this.#look(step.kind);
  }

  end(): Outcome {
    const scene = this.#scene;
    this.#bounds();
    if (this.#silent > scene.taken() - this.#takenBefore)
      this.#flaws.push(`${this.#name}: an input was neither taken nor counted as dropped`);
    const wrong = scene.prove(this.#honest);
    if (wrong !== undefined)
      this.#flaws.push(
        `${this.#name}: ${this.#honest ? 'after strangers' : 'after a hostile peer'}: ${wrong}`,
      );
    this.#bounds();
    return {
      inputs: this.#inputs,
      features: [...this.#features],
      flaws: [...new Set([...this.#flaws, ...scene.arena.flaws.map(flaw => `${this.#name}: ${flaw}`)])],
      slowest: scene.arena.slowest,
    };
  }

  #clear(source: number, bytes: Uint8Array): void {
    const { sources, relays } = this.#scene;
    const inner = isRelayPacket(bytes) && !relays ? bytes.subarray(RELAY_HEADER) : bytes;
    const essence = keyOf(essenceOf(inner));
    const isOurs = this.#sent.has(essence) || this.#sent.has(keyOf(essenceOf(bytes)));
    const kind = packetKind(bytes[0] ?? 0) ?? 'foreign';
    const reasons = this.#inject(sources[source % sources.length]!, bytes, `clear ${kind}`);
    if (isOurs || (reasons.length > 0 && reasons.every(reason => STRANGE.has(reason)))) return;
    const recorded = this.#recorded();
    // From a session that might have been, now or when the corpus was made: whoever has that has the keys.
    if (recorded.has(essence) || recorded.has(keyOf(essenceOf(bytes))) || this.#isSealed(inner))
      this.#honest = false;
    else if (reasons.length === 0 && SECURED.has(packetKind(inner[0] ?? 0)))
      this.#flaws.push(`${this.#name}: a forged ${kind} was taken`);
  }

  /** Whether somebody who has a key of the victim's made this data packet. */
  #isSealed(packet: Uint8Array): boolean {
    const data = isRelayPacket(packet) ? packet.subarray(RELAY_HEADER) : packet;
    if (packetKind(data[0] ?? 0) !== 'data' || data.length < DATA_OVERHEAD) return false;
    return this.#scene.keys.keyOf(data, DATA_HEADER, dataPacketNumber(data)) !== undefined;
  }

  #sealed(choice: number, frames: Uint8Array): void {
    const like = this.#packet;
    const key = like && this.#scene.keys.keyOf(like, DATA_HEADER, dataPacketNumber(like));
    if (!like || !key) return;
    this.#honest = false;
    const number = this.#numberFor(choice);
    const packet = new Uint8Array(DATA_OVERHEAD + frames.length);
    writeDataHeader(packet, dataKeyPhase(like) === 0 ? 0 : 1, dataReceiverIndex(like), number);
    packet.set(frames, DATA_HEADER);
    key.sealInPlace(0, number, packet, DATA_HEADER, frames.length);
    // A peer may be anywhere, and go on from there.
    const { sources } = this.#scene;
    this.#inject(sources[choice >= 200 ? choice % sources.length : 0]!, packet, 'sealed');
  }

  /** 0: the next packet number; others leave some out, repeat one, or jump. */
  #numberFor(choice: number): number {
    const how = choice & 3;
    if (how === 1) return Math.max(0, this.#number - (choice >> 2));
    if (how === 3) this.#number += (choice >> 2) * 512;
    if (how === 2) this.#number += choice >> 2;
    return ++this.#number;
  }

  #follow(bytes: Uint8Array): void {
    if (!isDataPacket(bytes)) return;
    this.#packet = bytes;
    this.#number = Math.max(this.#number, dataPacketNumber(bytes));
  }

  #inject(from: Scene['sources'][number], bytes: Uint8Array, what: string): readonly string[] {
    const { arena } = this.#scene;
    this.#inputs++;
    const reactions = arena.reactions;
    const extent = this.#scene.extent();
    arena.inject(from, bytes.slice());
    const reasons = this.#look(what);
    if (reasons.length === 0 && arena.reactions === reactions && this.#scene.extent() === extent)
      this.#silent++;
    return reasons;
  }

  /** Notes what is new; the reasons of drops. */
  #look(what: string): readonly string[] {
    const drops = this.#scene.drops();
    const reasons = Object.keys(drops).filter(reason => drops[reason] !== this.#drops[reason]);
    this.#drops = drops;
    for (const reason of reasons) this.#features.add(`${this.#name}: ${what}: ${reason}`);
    for (const news of this.#scene.news()) this.#features.add(`${this.#name}: ${what}: ${news}`);
    return reasons;
  }

  #bounds(): void {
    for (const [name, size, bound] of this.#scene.sizes())
      if (size > bound) this.#flaws.push(`${this.#name}: ${name} has grown beyond ${bound}`);
  }
}
