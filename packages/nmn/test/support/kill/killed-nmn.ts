import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Host, seconds, toHex } from '@coconet/cluster-protocol/core';
import type { SeededRandom } from '@coconet/cluster-protocol/testing';

import type { NmnConfigInput } from '../../../src/config.js';
import { NmnStore } from '../../../src/storage/nmn-store.js';
import { ClientHost } from './client-host.js';
import { Memory } from './memory.js';
import { NmnProcess } from './nmn-process.js';
import { halvesOf, ledgerOf, SignedNumbers } from './wholeness.js';
import { WriteLoad, type WriteKind } from './write-load.js';

/** One start in so many is killed before it is over. */
const KILL_EARLY = 8;
/** Otherwise the NMN is killed after so many acknowledgements at most, and so many ms, while others are on their way. */
const MOST_WRITES = 40;
const LONGEST_DELAY = 8;
/** One that is killed while it starts is killed within so many ms. */
const LONGEST_START = 500;
/** An NMN that has not done what it should after this, in ms, never will. */
const PATIENCE = 30_000;
/** Ports below those that Linux draws for outgoing traffic: between two lives nobody else is given ours. */
const PORTS = { first: 20_000, count: 8_000 } as const;

/** What one life of an NMN and its end have shown. */
export interface KillReport {
  readonly killedWhile: 'starting' | 'running';
  /** Ms from the beginning of the process until it answered; `undefined` when it was killed before. */
  readonly ready: number | undefined;
  /** Ms from the beginning of the process until a write was acknowledged. */
  readonly served: number | undefined;
  readonly acknowledged: ReadonlyMap<WriteKind, number>;
  /** What must not be, one sentence each. */
  readonly flaws: readonly string[];
}

/** An NMN that is killed again and again while its clients write, always on the same data folder. */
export class KilledNmn {
  readonly #program: string;
  readonly #folder: string;
  readonly #host: Host;
  readonly #random: SeededRandom;
  readonly #memory = new Memory();
  readonly #signed: SignedNumbers;
  readonly #port: number;
  #process: NmnProcess | undefined;

  /** `program`: from `bundleNmn`; `folder`: for everything that this NMN keeps. */
  constructor(options: {
    readonly program: string;
    readonly folder: string;
    readonly host: Host;
    readonly random: SeededRandom;
  }) {
    this.#program = options.program;
    this.#folder = options.folder;
    this.#host = options.host;
    this.#random = options.random;
    this.#signed = new SignedNumbers(options.host.crypto);
    this.#port = PORTS.first + options.random.below(PORTS.count);
  }

  /** Starts it, lets clients write, kills it, and looks at what is on disk. */
  async round(): Promise<KillReport> {
    const nmn = await this.#start();
    const early = this.#random.below(KILL_EARLY) === 0;
    const begun = performance.now();
    if (early) killLater(nmn, this.#random.fraction() * LONGEST_START);
    const ready = await nmn.ready;
    const clients = new ClientHost(this.#host);
    let served: number | undefined;
    const load =
      ready === undefined || early
        ? undefined
        : await WriteLoad.begin(this.#dataFolder, clients, this.#memory, this.#random);
    const slow = this.#host.schedule(seconds(PATIENCE / 1_000), () => nmn.kill());
    load?.after(1, () => {
      served = performance.now() - begun;
      load.after(1 + this.#random.below(MOST_WRITES), () => {
        slow();
        // At once in every other round: an answer that came before its write was durable is then found out.
        const delay = this.#random.below(2) * this.#random.fraction() * LONGEST_DELAY;
        killLater(nmn, delay, () => {
          load.expectEnd();
        });
      });
    });
    const { how, errors } = await nmn.ended;
    const late = performance.now() - begun >= PATIENCE;
    slow();
    load?.end();
    await clients.end();
    this.#process = undefined;

    const flaws = [...(load?.refused ?? [])];
    if (how !== 'SIGKILL') flaws.push(`it ended by itself: ${how} ${errors}`);
    if (late) flaws.push('it did not go on');
    return {
      killedWhile: load ? 'running' : 'starting',
      ready: early ? undefined : ready,
      served,
      acknowledged: load?.acknowledged ?? new Map<WriteKind, number>(),
      flaws: [...flaws, ...(await this.#look())],
    };
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    this.#process?.kill();
    await this.#process?.ended;
  }

  get #dataFolder(): string {
    return join(this.#folder, 'data');
  }

  async #start(): Promise<NmnProcess> {
    const config: NmnConfigInput = {
      dataFolder: this.#dataFolder,
      listen: { port: this.#port, bind: ['127.0.0.1'] },
      http: { enabled: false },
      membership: {
        // So short that members have something to renew in the next life.
        certificateLife: seconds(3),
        joinsPerSource: { perSecond: 1e6, capacity: 1e6 },
        joins: { perSecond: 1e6, capacity: 1e6 },
        openInvitations: 100_000,
      },
    };
    const file = join(this.#folder, 'config.json');
    await writeFile(file, JSON.stringify(config));
    this.#process = new NmnProcess(this.#program, file);
    return this.#process;
  }

  /** Opens a copy of what the dead process has left, so that the next one finds its log as it was. */
  async #look(): Promise<string[]> {
    const copy = join(this.#folder, 'copy');
    await rm(copy, { recursive: true, force: true });
    if (!(await copyFolder(this.#dataFolder, copy))) return [];
    const flaws: string[] = [];
    let store: NmnStore;
    try {
      // Checks the integrity of the whole database.
      store = await NmnStore.open(copy, []);
    } catch (error) {
      return [`the data folder cannot be opened: ${String(error)}`];
    }
    const tokens = new Set((await store.settings.operatorTokens()).map(({ id }) => toHex(id)));
    for (const { id } of this.#memory.tokens) if (!tokens.has(id)) flaws.push(`operatorToken ${id} is lost`);
    const networks = await store.changes.load();
    await store.close();
    const found = new Set<string>();
    for (const contents of networks) {
      const ledger = ledgerOf(this.#host.crypto, contents);
      found.add(ledger.key);
      flaws.push(...halvesOf(contents, ledger), ...this.#signed.addContents(contents, ledger));
      const remembered = this.#memory.networks.find(({ key }) => key === ledger.key);
      if (!remembered) continue;
      flaws.push(...remembered.missingFrom(contents, ledger));
      const view = await remembered.ownersView();
      if (view) flaws.push(...this.#signed.addState(view, ledger));
    }
    for (const { key } of this.#memory.networks)
      if (!found.has(key)) flaws.push(`createNetwork ${key} is lost`);
    return flaws;
  }
}

// A moment that no event of ours names: the point is to hit the process wherever it happens to be.
function killLater(nmn: NmnProcess, ms: number, before: () => void = () => undefined): void {
  const kill = (): void => {
    before();
    nmn.kill();
  };
  if (ms > 0) setTimeout(kill, ms);
  else kill();
}

/** Copies the files of a folder as they are; false when there is none. */
async function copyFolder(from: string, to: string): Promise<boolean> {
  const names = await readdir(from).catch(() => undefined);
  if (!names) return false;
  await mkdir(to, { mode: 0o700 });
  for (const name of names)
    if ((await stat(join(from, name))).isFile()) await copyFile(join(from, name), join(to, name));
  return true;
}
