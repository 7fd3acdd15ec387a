import { pack, unpack } from '@coconet/capabilities';
import type { WireValue } from '@coconet/capabilities';
import { milliseconds, randomBytes, toHex } from '@coconet/cluster-protocol';
import type { Duration, Host, Store } from '@coconet/cluster-protocol';
import type { AttributeCell, SavedValue } from './attribute-cell.js';
import type { TreeOrigin } from './device-tree.js';
import type { Resource } from './resource.js';

/** Persisted attributes are written at most this often: flash memory wears. */
const WRITE_INTERVAL: Duration = milliseconds(250);

const VALUE_PREFIX = 'device/values/';
const INCARNATION_BYTES = 8;

function readValue(bytes: Uint8Array): SavedValue | undefined {
  const read = unpack(bytes);
  if (!read.ok || !Array.isArray(read.value)) return undefined;
  const [wire = null, time = null] = read.value as readonly WireValue[];
  const ms = typeof time === 'bigint' ? Number(time) : time;
  const lastUpdated = typeof ms === 'number' ? new Date(ms) : null;
  return lastUpdated !== null && Number.isNaN(lastUpdated.getTime()) ? undefined : { wire, lastUpdated };
}

const writeValue = ({ wire, lastUpdated }: AttributeCell): Uint8Array =>
  pack([wire, lastUpdated === null ? null : BigInt(lastUpdated.getTime())]);

/** What of a device's state survives a restart: its persisted attributes. Versions count anew, in a new incarnation. */
export class StateStore {
  readonly origin: TreeOrigin;
  readonly #host: Host;
  readonly #store: Store;
  readonly #saved: Map<string, Uint8Array>;
  readonly #notice: (text: string) => void;
  readonly #changed = new Map<string, AttributeCell | undefined>();
  readonly #keys = new WeakMap<AttributeCell, string>();
  /** Versions of the values that are written, or will be. */
  readonly #kept = new WeakMap<AttributeCell, number>();
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  private constructor(
    host: Host,
    store: Store,
    origin: TreeOrigin,
    saved: Map<string, Uint8Array>,
    notice: (text: string) => void,
  ) {
    this.#host = host;
    this.#store = store;
    this.origin = origin;
    this.#saved = saved;
    this.#notice = notice;
  }

  /**
   * Reads what an earlier process left. Its versions are not gone on with: a store that was put back would tell some of
   * them twice, and who resumes after a restart gets everything in either case.
   */
  static async open(host: Host, store: Store, notice: (text: string) => void): Promise<StateStore> {
    const origin = { incarnation: randomBytes(host.random, INCARNATION_BYTES), firstVersion: 1 };
    if (!store.durable) return new StateStore(host, store, origin, new Map(), notice);
    const saved = new Map<string, Uint8Array>();
    for (const key of await store.list(VALUE_PREFIX)) {
      const bytes = await store.read(key);
      if (bytes !== undefined) saved.set(key, bytes);
    }
    return new StateStore(host, store, origin, saved, notice);
  }

  /** The value an earlier process left, if any. */
  saved(cell: AttributeCell): SavedValue | undefined {
    const bytes = this.#saved.get(this.#keyOf(cell));
    return bytes === undefined ? undefined : readValue(bytes);
  }

  /** Cells were set; those that persist are written soon, together. */
  keep(cells: readonly AttributeCell[]): void {
    if (!this.#store.durable) return;
    for (const cell of cells) {
      if (!cell.attribute.persist) continue;
      // A value that was merely read again waits for the next write, or for the end.
      if (this.#kept.get(cell) === cell.version) this.#changed.set(this.#keyOf(cell), cell);
      else this.#change(this.#keyOf(cell), cell);
      this.#kept.set(cell, cell.version);
    }
  }

  /** The resource was removed for good. */
  forget(resource: Resource): void {
    if (!this.#store.durable) return;
    for (const { cells } of resource.capabilities)
      for (const cell of cells.values())
        if (cell.attribute.persist) this.#change(this.#keyOf(cell), undefined);
  }

  /** Writes what is left; resolves when it is durable. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#write();
    await this.#writing;
  }

  #keyOf(cell: AttributeCell): string {
    const known = this.#keys.get(cell);
    if (known !== undefined) return known;
    const { resourceId, capabilityId, instance } = cell.address;
    // Resource ids are any text and store keys are not: hence the hash.
    const name = this.#host.crypto.blake2b(16, pack([resourceId, capabilityId, instance ?? null]));
    const key = `${VALUE_PREFIX}${toHex(name)}/${cell.attribute.id}`;
    this.#keys.set(cell, key);
    return key;
  }

  #change(key: string, cell: AttributeCell | undefined): void {
    this.#changed.set(key, cell);
    this.#cancelTimer ??= this.#host.schedule(WRITE_INTERVAL, () => {
      this.#cancelTimer = undefined;
      this.#write();
    });
  }

  #write(): void {
    const changes = new Map<string, Uint8Array | undefined>();
    for (const [key, cell] of this.#changed) {
      const bytes = cell === undefined ? undefined : writeValue(cell);
      if (bytes === undefined) this.#saved.delete(key);
      else if (!sameContent(this.#saved.get(key), bytes)) this.#saved.set(key, bytes);
      else continue;
      changes.set(key, bytes);
    }
    this.#changed.clear();
    if (changes.size === 0) return;
    this.#writing = Promise.all([this.#writing, this.#store.write(changes)]).then(
      () => {
        this.#failed = false;
      },
      (error: unknown) => {
        // Said once: the values go on changing, and with them this would be said four times a second.
        if (!this.#failed)
          this.#notice(
            `attributes cannot be written to the store and would be lost at a restart: ${String(error)}`,
          );
        this.#failed = true;
      },
    );
  }
}

const sameContent = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
