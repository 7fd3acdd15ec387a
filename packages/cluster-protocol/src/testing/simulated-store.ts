import { ClusterError, elapsed, milliseconds } from '../base/index.js';
import type { Duration, Instant } from '../base/index.js';
import type { Store } from '../interface/machine.js';
import { checkStoreKey } from '../interface/memory-store.js';
import type { SeededRandom } from './seeded-random.js';
import type { Timeline } from './timeline.js';

/** How long a write takes to become durable where a test does not say otherwise: a flash memory's fsync. */
const SYNC_DELAY = milliseconds(2);

type Entries = ReadonlyMap<string, Uint8Array>;

interface PendingWrite {
  readonly changes: ReadonlyMap<string, Uint8Array | undefined>;
  readonly callOff: () => void;
}

/** What lies on the flash memory of a host under one name. Outlives crashes and restarts. */
export class SimulatedDisk {
  /** How long a write takes to become durable. */
  syncDelay: Duration = SYNC_DELAY;
  /** While set, every write fails: the disk is full. */
  full = false;
  #entries = new Map<string, Uint8Array>();
  #copy: Entries | undefined;
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  readonly #pending: PendingWrite[] = [];
  #lastSync: Instant;

  constructor(timeline: Timeline, random: SeededRandom) {
    this.#timeline = timeline;
    this.#random = random;
    this.#lastSync = timeline.now;
  }

  /** What is durable now. */
  get entries(): Entries {
    return this.#entries;
  }

  /** Writes still on their way to the disk. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Makes a backup. */
  keepCopy(): void {
    this.#copy = new Map(this.#entries);
  }

  /** Puts the backup back, as somebody does who restores an old image of a device. */
  restoreOldCopy(): void {
    if (this.#copy === undefined) throw new ClusterError('INVALID_STATE', 'keepCopy was not called before');
    this.#entries = new Map(this.#copy);
  }

  /** Loses everything. */
  wipe(): void {
    this.#entries.clear();
  }

  /** Queues a write; `done` follows when it is durable, and never when the host crashes before. */
  write(changes: ReadonlyMap<string, Uint8Array | undefined>, done: () => void): void {
    const { now } = this.#timeline;
    const wanted = now + this.syncDelay;
    // A shorter delay does not let a write overtake the one before.
    this.#lastSync = (wanted > this.#lastSync ? wanted : this.#lastSync) as Instant;
    const write: PendingWrite = {
      changes,
      callOff: this.#timeline.after(elapsed(now, this.#lastSync), () => {
        this.#pending.shift();
        this.#apply(write);
        done();
        return true;
      }),
    };
    this.#pending.push(write);
  }

  /** The power fails: of the writes on their way some first ones, as chance has it, are found later; the rest is lost. */
  crash(): void {
    const kept = this.#random.below(this.#pending.length + 1);
    this.#pending.forEach((write, index) => {
      write.callOff();
      if (index < kept) this.#apply(write);
    });
    this.#pending.length = 0;
  }

  #apply({ changes }: PendingWrite): void {
    for (const [key, value] of changes) {
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, value);
    }
  }
}

/** A {@link SimulatedDisk} as a running process sees it. For a process that crashed nothing resolves any more. */
export class SimulatedStore implements Store {
  readonly durable = true;
  readonly disk: SimulatedDisk;
  readonly #isAlive: () => boolean;
  #closed = false;

  constructor(disk: SimulatedDisk, isAlive: () => boolean) {
    this.disk = disk;
    this.#isAlive = isAlive;
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    await this.#ready();
    const value = this.disk.entries.get(key);
    return value === undefined ? undefined : new Uint8Array(value);
  }

  async list(prefix: string): Promise<readonly string[]> {
    await this.#ready();
    return [...this.disk.entries.keys()].filter(key => key.startsWith(prefix)).sort();
  }

  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    for (const key of changes.keys()) checkStoreKey(key);
    if (this.#closed) throw closed();
    if (!this.#isAlive()) return new Promise(() => undefined);
    if (this.disk.full) throw new ClusterError('STORE_UNUSABLE', 'the simulated disk is full');
    const copies = new Map(
      [...changes].map(
        ([key, value]) => [key, value === undefined ? undefined : new Uint8Array(value)] as const,
      ),
    );
    return new Promise(resolve => this.disk.write(copies, resolve));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #ready(): Promise<void> {
    if (this.#closed) throw closed();
    if (!this.#isAlive()) await new Promise(() => undefined);
  }
}

const closed = (): ClusterError => new ClusterError('INVALID_STATE', 'this store is closed');
