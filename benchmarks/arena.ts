import type { Cores } from './cores.js';
import { measureCore } from './core-process.js';
import type { BenchOptions } from './options.js';
import { Pair } from './pair.js';
import type { Absence, Round } from './result.js';
import { type Figures, type Scale, WORKS, type Work } from './work.js';

const FULL: Scale = {
  commands: 3_000,
  rateTime: 500,
  setUps: 20,
  receivers: 100,
  fanOutTime: 500,
  bulkBytes: 64 * 1_024 * 1_024,
};
/** Before the first round, so that no round pays for what the engine learns. */
const WARM_UP: Scale = { ...FULL, commands: 5_000, rateTime: 1_500, fanOutTime: 1_500 };
const QUICK: Scale = {
  commands: 20,
  rateTime: 20,
  setUps: 1,
  receivers: 3,
  fanOutTime: 20,
  bulkBytes: 256 * 1_024,
};

/** Sessions whose memory is weighed. */
const CROWD = 1_000;
const QUICK_CROWD = 20;
/** Before memory is weighed: what the first session makes a process load and compile is none of the others'. */
const BEFORE_CROWD: Partial<Scale> = { commands: 500, setUps: 20 };
const QUICK_PACKETS = 2_000;

/** All who are compared, each in its two processes, and what is done with them in a round. */
export class Arena {
  readonly cores: Cores | undefined;
  readonly absent: Absence[] = [];
  readonly #options: BenchOptions;
  readonly #ours: ReadonlySet<string>;
  readonly #progress: (text: string) => void;
  readonly #scale: Scale;
  readonly #works: readonly Work[];
  readonly #pairs = new Map<string, Pair>();
  /** Everything that was started, whatever became of it. */
  readonly #started: Pair[] = [];
  readonly #abort = new AbortController();
  /** Who has no sessions to weigh. */
  readonly #weightless = new Set<string>();
  #admitted: readonly string[] = [];

  /** `ours`: without these and the baselines nothing can be compared, so that they may not fail. */
  constructor(
    options: BenchOptions,
    cores: Cores | undefined,
    ours: ReadonlySet<string>,
    progress: (text: string) => void,
  ) {
    this.cores = cores;
    this.#options = options;
    this.#ours = ours;
    this.#progress = progress;
    this.#scale = options.quick ? QUICK : FULL;
    this.#works = WORKS.filter(work => options.works.includes(work));
  }

  /** Starts everybody and lets them get warm. */
  async admit(names: readonly string[]): Promise<void> {
    this.#admitted = names;
    if (this.#works.length === 0) return;
    for (const name of names) {
      this.#progress(`${name}: starting`);
      await this.#tried(name, undefined, async () => {
        const company = { receivers: this.#works.includes('fanOut') ? this.#scale.receivers : 0, crowd: 0 };
        const pair = await Pair.start(name, company, this.cores, each => this.#started.push(each));
        this.#pairs.set(name, pair);
        if (this.#options.quick) return;
        for (const work of this.#works) await this.#tried(name, work, () => pair.measure(work, WARM_UP));
      });
    }
  }

  /** Every work by everybody, one after the other; another one begins each time, so that nobody always comes last. */
  async round(number: number): Promise<Round> {
    const figures = new Map<string, Figures>();
    const add = (name: string, some: Figures | undefined): void => {
      figures.set(name, { ...figures.get(name), ...some });
    };
    for (const work of this.#works) {
      for (const name of this.#inTurn(number, work)) {
        const pair = this.#pairs.get(name);
        if (pair) add(name, await this.#tried(name, work, () => pair.measure(work, this.#scale)));
      }
    }
    if (this.#options.works.includes('memory'))
      for (const name of this.#inTurn(number, 'memory')) {
        if (this.#weightless.has(name)) continue;
        this.#progress(`${name}: memory`);
        add(name, await this.#tried(name, 'memory', () => this.#weigh(name)));
      }
    if (this.#options.works.includes('core')) {
      const packets = this.#options.quick ? QUICK_PACKETS : this.#options.packets;
      for (const name of this.#inTurn(number, 'core').filter(each => this.#ours.has(each))) {
        this.#progress(`${name}: core`);
        add(name, await measureCore(name, packets, this.cores, this.#abort.signal));
      }
    }
    return figures;
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#started.map(pair => pair.stop()));
  }

  #inTurn(round: number, work: string): readonly string[] {
    const present = this.#admitted.filter(
      name =>
        !this.absent.some(
          absence => absence.contestant === name && (absence.work === undefined || absence.work === work),
        ),
    );
    return present.map((_, i) => present[(round + i) % present.length]!);
  }

  /** Resident memory of two fresh processes before and after many sessions, by session. */
  async #weigh(name: string): Promise<Figures> {
    const sessions = this.#options.quick ? QUICK_CROWD : CROWD;
    const pair = await Pair.start(name, { receivers: 0, crowd: sessions }, this.cores, each =>
      this.#started.push(each),
    );
    try {
      const scale = this.#options.quick ? this.#scale : { ...this.#scale, ...BEFORE_CROWD };
      await pair.measure('commands', scale);
      await pair.measure('setUps', scale);
      const before = await pair.weigh();
      if (!(await pair.crowd(sessions))) {
        this.#weightless.add(name);
        return {};
      }
      const after = await pair.weigh();
      return {
        serverMemory: (after.server - before.server) / sessions,
        clientMemory: (after.client - before.client) / sessions,
      };
    } finally {
      await pair.stop();
    }
  }

  /** What comes of it; when it fails, whoever may be missing is absent from then on. */
  async #tried<T>(name: string, work: string | undefined, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#ours.has(name) || name === 'dgram' || name === 'tcp')
        throw new Error(`${name}${work === undefined ? '' : `, ${work}`}: ${reason}`, { cause: error });
      this.#progress(`${name}${work === undefined ? '' : `, ${work}`}: absent: ${reason}`);
      this.absent.push({ contestant: name, ...(work !== undefined && { work }), reason });
      return undefined;
    }
  }
}
