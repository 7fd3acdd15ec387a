import type { LastingMemory, Store } from '@coconet/cluster-protocol';

/** Commands remembered of one sender: its message window, beyond which nothing can come again (design: delivery). */
const MAX_ENTRIES_PER_SENDER = 1_024;

/** Senders remembered; more apps than that never use one device. */
const MAX_SENDERS = 256;

/** Incarnations remembered of one sender: its store as it is, and a few it was before (design: delivery). */
const MAX_INCARNATIONS = 4;

/** Statuses of one sender that are kept whole until it has them; beyond, only their codes are. */
const MAX_STATUS_BYTES = 1_024 * 1_024;

/** Changes that may wait for the next write: marks and removals, none of which is urgent. */
const MAX_LAZY = 256;

const PREFIX = 'device/commands/';
const KEY = /^device\/commands\/(\d+)\/([0-9a-f]{16})\/(\d+)$/;

/** First byte of a record. */
const Mark = { started: 1, finished: 2, delivered: 3 } as const;

/** What names a command for ever: who sent it, the life of its outbox (hexadecimal), and the number in it. */
export interface CommandId {
  readonly peer: number;
  readonly incarnation: string;
  readonly sequence: number;
}

/** What became of a command so far. */
export type LedgerEntry =
  /** Its handler may be running. */
  | { readonly kind: 'started' }
  /** An earlier process began it and did not live to tell the end. */
  | { readonly kind: 'interrupted' }
  /** `status`: as it was sent; `undefined` once the sender has it. */
  | { readonly kind: 'finished'; readonly status: Uint8Array | undefined };

interface Incarnation {
  highest: number;
  /** In the order they came, which is nearly that of their numbers. */
  readonly entries: Map<number, LedgerEntry>;
}

interface Sender {
  readonly incarnations: Map<string, Incarnation>;
  statusBytes: number;
}

/**
 * Remembers every command from before its handler is called until it cannot come again, through restarts where the store
 * is durable: so that none runs twice, and the sender of a lost status can still be told the truth.
 */
export class CommandLedger implements LastingMemory {
  readonly #store: Store | undefined;
  readonly #senders = new Map<number, Sender>();
  readonly #lazy = new Map<string, Uint8Array | undefined>();

  private constructor(store: Store | undefined) {
    this.#store = store?.durable === true ? store : undefined;
  }

  /** What an earlier process left in the store. */
  static async open(store: Store): Promise<CommandLedger> {
    const ledger = new CommandLedger(store);
    if (!store.durable) return ledger;
    const ids = (await store.list(PREFIX)).flatMap((key): CommandId[] => {
      const [, peer, incarnation, sequence] = KEY.exec(key) ?? [];
      if (incarnation === undefined) return [];
      return [{ peer: Number(peer), incarnation, sequence: Number(sequence) }];
    });
    // Keys sort as text, in which 10 comes before 9.
    for (const id of ids.sort((a, b) => a.sequence - b.sequence)) {
      const record = await store.read(keyOf(id));
      if (record !== undefined) ledger.#set(id, readRecord(record));
    }
    return ledger;
  }

  /** What is known of a command; `undefined`: nothing, it is new. */
  find({ peer, incarnation, sequence }: CommandId): LedgerEntry | undefined {
    return this.#senders.get(peer)?.incarnations.get(incarnation)?.entries.get(sequence);
  }

  /** Whether a message is a command on record; others are not asked about. */
  remembers(peer: number, incarnation: string, sequence: number): boolean {
    return this.find({ peer, incarnation, sequence }) !== undefined;
  }

  /** The handler is about to be called; resolves when that is durable. */
  start(id: CommandId): Promise<void> {
    this.#makeRoom(id);
    this.#set(id, { kind: 'started' });
    return this.#write(id, Mark.started, NOTHING);
  }

  /**
   * The command is over, or never will begin; resolves when that is durable. `bare`: the status without its response,
   * kept instead where there is no room.
   */
  finish(id: CommandId, status: Uint8Array, bare: Uint8Array): Promise<void> {
    this.#makeRoom(id);
    const sender = this.#senders.get(id.peer);
    const kept = (sender?.statusBytes ?? 0) + status.length > MAX_STATUS_BYTES ? bare : status;
    this.#set(id, { kind: 'finished', status: kept });
    return this.#write(id, Mark.finished, kept);
  }

  /** The sender has the status. */
  acknowledge(id: CommandId): void {
    if (this.find(id)?.kind !== 'finished') return;
    this.#set(id, { kind: 'finished', status: undefined });
    this.#later(id, new Uint8Array([Mark.delivered]));
  }

  /** Commands of a sender whose end it does not know yet. */
  unsettled(peer: number): readonly { readonly id: CommandId; readonly entry: LedgerEntry }[] {
    return [...(this.#senders.get(peer)?.incarnations ?? [])].flatMap(([incarnation, { entries }]) =>
      [...entries]
        .filter(([, entry]) => entry.kind === 'interrupted' || (entry.kind === 'finished' && entry.status))
        .map(([sequence, entry]) => ({ id: { peer, incarnation, sequence }, entry })),
    );
  }

  /** Commands remembered, of all senders. */
  get size(): number {
    let size = 0;
    for (const { incarnations } of this.#senders.values())
      for (const { entries } of incarnations.values()) size += entries.size;
    return size;
  }

  /** Writes what was not urgent. */
  async close(): Promise<void> {
    const changes = this.#takeLazy();
    if (this.#store !== undefined && changes.size > 0) await this.#store.write(changes);
  }

  #set(id: CommandId, entry: LedgerEntry): void {
    const sender = this.#senders.get(id.peer) ?? {
      incarnations: new Map<string, Incarnation>(),
      statusBytes: 0,
    };
    this.#senders.set(id.peer, sender);
    const known = sender.incarnations.get(id.incarnation) ?? {
      highest: 0,
      entries: new Map<number, LedgerEntry>(),
    };
    sender.incarnations.set(id.incarnation, known);
    known.highest = Math.max(known.highest, id.sequence);
    sender.statusBytes += bytesOf(entry) - bytesOf(known.entries.get(id.sequence));
    known.entries.set(id.sequence, entry);
  }

  #makeRoom({ peer, incarnation, sequence }: CommandId): void {
    const sender = this.#senders.get(peer);
    if (sender === undefined) {
      if (this.#senders.size >= MAX_SENDERS) this.#forgetSender();
      return;
    }
    // The least recently heard of is the first to go.
    this.#senders.delete(peer);
    this.#senders.set(peer, sender);
    const known = sender.incarnations.get(incarnation);
    if (known === undefined) {
      if (sender.incarnations.size >= MAX_INCARNATIONS) this.#forgetIncarnation(peer, sender);
      return;
    }
    sender.incarnations.delete(incarnation);
    sender.incarnations.set(incarnation, known);
    // A sender's messages under way span less than its window, so that nothing below it can come again.
    const floor = Math.max(known.highest, sequence) - MAX_ENTRIES_PER_SENDER;
    for (const [old, entry] of known.entries) {
      if (old > floor) break;
      if (entry.kind !== 'started') this.#remove(sender, { peer, incarnation, sequence: old });
    }
    if (!known.entries.has(sequence)) this.#shrink(peer, sender);
  }

  #shrink(peer: number, sender: Sender): void {
    let size = 0;
    for (const { entries } of sender.incarnations.values()) size += entries.size;
    for (const [incarnation, { entries }] of sender.incarnations)
      for (const [sequence, entry] of entries) {
        if (size < MAX_ENTRIES_PER_SENDER) return;
        if (entry.kind === 'started') continue;
        this.#remove(sender, { peer, incarnation, sequence });
        size--;
      }
  }

  #forgetSender(): void {
    for (const [peer, sender] of this.#senders) {
      if (isRunning(sender)) continue;
      for (const [incarnation, { entries }] of sender.incarnations)
        for (const sequence of entries.keys()) this.#later({ peer, incarnation, sequence }, undefined);
      this.#senders.delete(peer);
      return;
    }
  }

  #forgetIncarnation(peer: number, sender: Sender): void {
    const [incarnation, { entries }] = sender.incarnations.entries().next().value!;
    for (const sequence of [...entries.keys()]) this.#remove(sender, { peer, incarnation, sequence });
    sender.incarnations.delete(incarnation);
  }

  #remove(sender: Sender, id: CommandId): void {
    const entries = sender.incarnations.get(id.incarnation)?.entries;
    sender.statusBytes -= bytesOf(entries?.get(id.sequence));
    entries?.delete(id.sequence);
    this.#later(id, undefined);
  }

  #later(id: CommandId, record: Uint8Array | undefined): void {
    if (this.#store === undefined) return;
    this.#lazy.set(keyOf(id), record);
    // Failing loses a mark: a status is then sent once more, or a record read once more.
    if (this.#lazy.size > MAX_LAZY) void this.#store.write(this.#takeLazy()).catch(() => undefined);
  }

  #takeLazy(): Map<string, Uint8Array | undefined> {
    const changes = new Map(this.#lazy);
    this.#lazy.clear();
    return changes;
  }

  async #write(id: CommandId, mark: number, status: Uint8Array): Promise<void> {
    if (this.#store === undefined) return;
    const record = new Uint8Array(1 + status.length);
    record[0] = mark;
    record.set(status, 1);
    await this.#store.write(this.#takeLazy().set(keyOf(id), record));
  }
}

const NOTHING = new Uint8Array(0);

const keyOf = ({ peer, incarnation, sequence }: CommandId): string =>
  `${PREFIX}${peer}/${incarnation}/${sequence}`;

const bytesOf = (entry: LedgerEntry | undefined): number =>
  entry?.kind === 'finished' ? (entry.status?.length ?? 0) : 0;

const isRunning = ({ incarnations }: Sender): boolean =>
  [...incarnations.values()].some(({ entries }) =>
    [...entries.values()].some(({ kind }) => kind === 'started'),
  );

function readRecord(record: Uint8Array): LedgerEntry {
  if (record[0] === Mark.delivered) return { kind: 'finished', status: undefined };
  return record[0] === Mark.finished
    ? { kind: 'finished', status: record.slice(1) }
    : { kind: 'interrupted' };
}
