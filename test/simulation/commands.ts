import { defineCapability, t as type } from '@coconet/capabilities';
import { type CryptoProvider, milliseconds, seconds } from '@coconet/cluster-protocol/core';
import { NonceWatch, type Recorder } from '@coconet/cluster-protocol/testing';
import { House } from '../../packages/client-sdk/test/support/house.js';
import type { Run } from './run.js';

const gun = defineCapability({
  id: 'org.coconet.test.gun',
  name: 'gun',
  title: 'Must not happen twice',
  revision: 1,
  tier: 'vendor',
  commands: {
    shoot: { id: 8, parameters: { shot: type.uint16() } },
    aim: { id: 9, parameters: { shot: type.uint16() }, idempotent: true },
  },
});

/** No command is waited for longer. */
const LONGEST_TIMEOUT = 12_000;
/** Ends that say that a command did not run and never will. */
const NEVER: readonly string[] = ['EXPIRED', 'CANCELLED', 'DEVICE_UNREACHABLE', 'BUSY', 'REJECTED'];

interface Command {
  readonly shot: number;
  readonly once: boolean;
  /** `open` until it is settled; then the code of its error, or `success`. */
  end: string;
  message: string;
  late: string | undefined;
  /** The life of the app that waits for it. */
  readonly life: number;
}

/** A device that shoots and an app that tells it to, through all their lives. */
class Range {
  readonly house: House;
  readonly problems: string[] = [];
  readonly commands: Command[] = [];
  /** How often each shot was fired, in whatever life. */
  readonly runs = new Map<number, number>();
  readonly #lives = { Desk: 0, phone: 0 };
  /** The life of each in which a backup of its store was made. */
  readonly #copies: { Desk?: number; phone?: number } = {};
  /** The life of the device that ran a shot last. */
  readonly #ranIn = new Map<number, number>();
  /** The latest life of the device of which this life of the app has heard for certain. */
  #heardOf = 0;
  #shoot:
    ((once: boolean, shot: number, signal: AbortSignal, command: Command) => Promise<unknown>) | undefined;

  constructor(house: House) {
    this.house = house;
  }

  get isReady(): boolean {
    return this.#shoot !== undefined;
  }

  get random() {
    return this.house.world.random;
  }

  keepCopy(name: 'Desk' | 'phone'): void {
    this.house.host(name).disk().keepCopy();
    this.#copies[name] = this.#lives[name];
  }

  async startDevice(): Promise<void> {
    this.#lives.Desk++;
    const life = this.#lives.Desk;
    const device = await this.house.device();
    if (life !== this.#lives.Desk) return;
    const run = async (shot: number): Promise<void> => {
      this.runs.set(shot, (this.runs.get(shot) ?? 0) + 1);
      this.#ranIn.set(shot, life);
      await new Promise<void>(resolve => {
        this.house.host('Desk').schedule(milliseconds(this.random.below(300)), resolve);
      });
    };
    device
      .addResource('gun', [gun])
      .gun.handle({ shoot: ({ shot }) => run(shot), aim: ({ shot }) => run(shot) });
  }

  async startApp(): Promise<void> {
    this.#lives.phone++;
    this.#shoot = undefined;
    this.#heardOf = 0;
    const life = this.#lives.phone;
    const network = await this.house.app('phone');
    if (life !== this.#lives.phone) return;
    const resource = await network.resource('Desk/gun', [gun], { timeout: 600_000 });
    if (life !== this.#lives.phone) return;
    this.#shoot = (once, shot, signal, command) => {
      const options = {
        timeout: 1_000 + this.random.below(LONGEST_TIMEOUT - 1_000),
        signal,
        onLateOutcome: ({ status }: { readonly status: string }) => {
          command.late = status;
        },
      };
      return once ? resource.gun.shoot({ shot }, options) : resource.gun.aim({ shot }, options);
    };
  }

  /** Tells the device to shoot, if the app knows it by now. */
  speak(isPatient = false): void {
    if (!this.#shoot) return;
    const command: Command = {
      shot: this.commands.length,
      once: this.random.below(4) > 0,
      end: 'open',
      message: '',
      late: undefined,
      life: this.#lives.phone,
    };
    this.commands.push(command);
    const controller = new AbortController();
    this.#shoot(command.once, command.shot, controller.signal, command).then(
      () => {
        command.end = 'success';
        if (command.life === this.#lives.phone)
          this.#heardOf = Math.max(this.#heardOf, this.#ranIn.get(command.shot) ?? 0);
      },
      (error: unknown) => {
        const { code, message } = error as Error & { readonly code: string };
        command.end = code;
        command.message = message;
      },
    );
    if (!isPatient && this.random.below(8) === 0)
      this.house.host('phone').schedule(milliseconds(this.random.below(2_000)), () => {
        controller.abort();
      });
  }

  /** The power of one fails and comes back; sometimes with a store that was put back from a backup. */
  async restart(name: 'Desk' | 'phone'): Promise<void> {
    const { house, random } = this;
    house.host(name).crash();
    const copied = this.#copies[name];
    const isPutBack = copied !== undefined && random.below(2) === 0;
    if (isPutBack) {
      // To an app that knows of no later life than the one copied, a copy shows nothing of what ran after it unless that
      // was acknowledged: it takes longer to put one back than anybody waits for a command.
      if (name === 'Desk' && copied >= this.#heardOf) await house.run(LONGEST_TIMEOUT + 1_000);
      else await house.run(random.below(3_000));
      house.host(name).disk().restoreOldCopy();
    } else if (random.below(2) === 0) await house.run(random.below(3_000));
    house.restart(name);
    const started = name === 'Desk' ? this.startDevice() : this.startApp();
    started.catch((error: unknown) => this.problems.push(`${name} did not start again: ${String(error)}`));
  }

  /** The device dies with commands that it has run, and nobody has heard that it did. */
  async ambush(): Promise<void> {
    const deafen = (loss: number): void => {
      for (const { down } of this.house.host('phone').board.attachments) down.set({ loss });
    };
    deafen(1);
    for (let i = 0; i < 3; i++) this.speak();
    await this.house.run(this.random.below(500));
    await this.restart('Desk');
    deafen(0);
  }

  /** What must not be, one sentence each. */
  judge(): readonly string[] {
    for (const { shot, once, end, message, late, life } of this.commands) {
      const runs = this.runs.get(shot) ?? 0;
      const name = `shot ${shot} (${end}: ${message})`;
      if (once && runs > 1) this.problems.push(`${name} was fired ${runs} times`);
      if ((end === 'success' || late === 'success') && runs === 0)
        this.problems.push(`${name} is said to have run, and did not`);
      if (NEVER.includes(end) && runs > 0) this.problems.push(`${name} is said not to have run, and did`);
      if (late !== undefined && NEVER.includes(late.toUpperCase()) && runs > 0)
        this.problems.push(`${name} is said late (${late}) not to have run, and did`);
      if (end === 'open' && life === this.#lives.phone) this.problems.push(`${name} never ended`);
      if (!['open', 'success', 'OUTCOME_UNKNOWN', ...NEVER].includes(end))
        this.problems.push(`${name} ended as nobody expects`);
    }
    return this.problems;
  }
}

/**
 * A device and an app with their SDKs for a minute of bad luck drawn from a seed: loss, reorder, duplication, cuts, power
 * failures, and stores that are put back from backups; then everything heals.
 */
export async function runCommands(seed: number, crypto: CryptoProvider, recorder?: Recorder): Promise<Run> {
  const nonces = new NonceWatch(crypto);
  const house = await House.create(seed, nonces, recorder);
  const range = new Range(house);
  const { random } = house.world;
  await range.startDevice();
  await house.during(range.startApp());

  for (let step = 0; step < 60; step++) {
    const name = random.below(2) === 0 ? 'Desk' : 'phone';
    const { board } = house.host(name);
    switch (random.below(10)) {
      case 0:
        board.setConditions({
          loss: random.fraction() * 0.3,
          duplicate: random.fraction() * 0.5,
          reorder: random.fraction() * 0.3,
          jitter: milliseconds(random.below(100)),
          corrupt: random.fraction() * 0.05,
        });
        break;
      case 1:
        board.setConditions({ down: random.below(3) === 0 });
        break;
      case 2:
        range.keepCopy(name);
        break;
      case 3:
        if (random.below(2) === 0) await range.restart(name);
        break;
      case 4:
        if (random.below(2) === 0) await range.ambush();
        break;
      default:
        range.speak();
        range.speak();
    }
    await house.run(random.below(1_500));
  }

  for (const name of ['Desk', 'phone'])
    house.host(name).board.setConditions({
      down: false,
      loss: 0,
      duplicate: 0,
      reorder: 0,
      corrupt: 0,
      jitter: milliseconds(0),
    });
  await house.world.until(() => range.isReady, seconds(120), 'the app to see the device again');
  await house.run(60_000);
  range.speak(true);
  const last = range.commands.at(-1)!;
  await house.run(30_000);
  if (last.end !== 'success')
    range.problems.push(`after everything had healed, a command ended with ${last.end}: ${last.message}`);
  return {
    problems: [...range.judge(), ...nonces.reused],
    virtual: house.world.now,
    hash: house.world.recorder.hash,
    counts: { datagrams: house.world.recorder.datagrams, commands: range.commands.length },
  };
}
