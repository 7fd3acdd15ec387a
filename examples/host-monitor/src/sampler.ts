/** One thing that is read again and again. */
export interface Source {
  readonly name: string;
  /** ms between the starts of two readings. */
  readonly every: number;
  /** Reads, and hands on what it read. */
  readonly read: () => Promise<void>;
}

/** What a sampler needs of the world. */
export interface SamplerSurroundings {
  /** Monotonic ms. */
  readonly now: () => number;
  /** Calls `action` after so many ms. Returns how to call that off. */
  readonly schedule: (delay: number, action: () => void) => () => void;
  /** The sources that do not give what they should have just changed. */
  readonly onTrouble: (trouble: readonly Trouble[]) => void;
}

/** Why a source gives nothing. */
export interface Trouble {
  readonly source: string;
  readonly code: 'readingFailed' | 'readingHangs';
  readonly text: string;
}

/** A reading that takes longer is left behind: programs of the system that are asked for sensors can hang for ever. */
const PATIENCE = 10_000;

/** A source that failed is asked again after this long: what is not there seldom comes back at once. */
const AFTER_FAILURE = 30_000;

/** Longest reason kept of a failure, in characters: some are whole logs. */
const MAX_TEXT = 300;

/** A source and when it is read next. */
interface Entry {
  readonly source: Source;
  due: number;
  /** A call of it is under way. */
  busy: boolean;
}

/**
 * Reads sources one after the other, never two at once, each at its interval. A source that fails or hangs is named as
 * trouble and does not keep the others from being read; it is never called again while an earlier call is under way.
 */
export class Sampler {
  readonly #around: SamplerSurroundings;
  readonly #entries: readonly Entry[];
  readonly #trouble = new Map<string, Trouble>();
  /** Readings that were asked for, and the one that goes on; each starts when the one before has ended. */
  #turn: Promise<void> = Promise.resolve();
  #cancelWait: () => void = () => undefined;
  #cancelPatience: () => void = () => undefined;
  #stopped = false;

  constructor(sources: readonly Source[], around: SamplerSurroundings) {
    this.#around = around;
    this.#entries = sources.map(source => ({ source, due: around.now(), busy: false }));
  }

  /** Reads every source once, then goes on until stopped. Resolves after the first round. */
  async start(): Promise<void> {
    await this.readNow(this.#entries.map(({ source }) => source.name));
    this.#plan();
  }

  /** Reads these sources now, or as soon as the reading under way has ended. Resolves when that is done. */
  async readNow(names: readonly string[]): Promise<void> {
    for (const entry of this.#entries) if (names.includes(entry.source.name)) this.#enqueue(entry);
    await this.#turn;
  }

  /** Starts no reading any more, and says nothing of the one under way. */
  stop(): void {
    this.#stopped = true;
    this.#cancelWait();
    this.#cancelPatience();
  }

  #plan(): void {
    this.#cancelWait();
    if (this.#stopped) return;
    const next = this.#entries
      .filter(({ busy }) => !busy)
      .reduce((due, entry) => Math.min(due, entry.due), Infinity);
    if (next === Infinity) return;
    this.#cancelWait = this.#around.schedule(Math.max(0, next - this.#around.now()), () => {
      const now = this.#around.now();
      for (const entry of this.#entries) if (!entry.busy && entry.due <= now) this.#enqueue(entry);
      void this.#turn.then(() => this.#plan());
    });
  }

  #enqueue(entry: Entry): void {
    this.#turn = this.#turn.then(async () => {
      if (!this.#stopped && !entry.busy) await this.#read(entry);
    });
  }

  async #read(entry: Entry): Promise<void> {
    const { source } = entry;
    const began = this.#around.now();
    entry.busy = true;
    const leftBehind = new Promise<Trouble>(resolve => {
      this.#cancelPatience = this.#around.schedule(PATIENCE, () => {
        resolve({
          source: source.name,
          code: 'readingHangs',
          text: `no answer within ${PATIENCE / 1_000} s`,
        });
      });
    });
    const ended = attempt(source).then(trouble => {
      entry.busy = false;
      const now = this.#around.now();
      const next = Math.min(entry.due, began) + source.every;
      // Counted from when it was due, so that a slow round before it does not make the intervals longer.
      entry.due = trouble ? now + AFTER_FAILURE : next > now ? next : now + source.every;
      this.#note(source.name, trouble);
      return trouble;
    });
    const trouble = await Promise.race([ended, leftBehind]);
    this.#cancelPatience();
    if (trouble?.code !== 'readingHangs') return;
    this.#note(source.name, trouble);
    void ended.then(() => this.#plan());
  }

  #note(name: string, trouble: Trouble | undefined): void {
    const before = this.#trouble.get(name);
    if (this.#stopped) return;
    if (before?.code === trouble?.code && before?.text === trouble?.text) return;
    if (trouble) this.#trouble.set(name, trouble);
    else this.#trouble.delete(name);
    this.#around.onTrouble([...this.#trouble.values()]);
  }
}

async function attempt({ name, read }: Source): Promise<Trouble | undefined> {
  try {
    await read();
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { source: name, code: 'readingFailed', text: text.slice(0, MAX_TEXT) };
  }
}
