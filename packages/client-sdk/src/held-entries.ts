import { pack } from '@coconet/capabilities';
import type { CapabilityAddress, Entry, WireValue } from '@coconet/capabilities';
import { sameBytes } from '@coconet/cluster-protocol';
import type { ValueBatch } from './subscription.js';

/** Attributes that one watch keeps apart; more than every attribute of the largest device. */
const MAX_HELD = 131_072;

interface Held {
  readonly stateIncarnation: Uint8Array;
  readonly entry: Entry;
}

/** Where an attribute is, as text: the key under which a newer value takes the place of an older one. */
export const entryKey = ({ resourceId, capabilityId, instance, attributeId }: Entry): string =>
  JSON.stringify([resourceId, capabilityId, instance ?? null, attributeId]);

/** Whether two addresses are of the same capability of the same resource. */
export const isSamePlace = (a: CapabilityAddress, b: CapabilityAddress): boolean =>
  a.resourceId === b.resourceId && a.capabilityId === b.capabilityId && a.instance === b.instance;

/**
 * What one watch has shown already, so that each change is shown once: whatever comes again, because a session broke, a
 * program took over or the device's memory is another one, is told from what is new.
 */
export class HeldEntries {
  readonly #held = new Map<string, Held>();

  /** The entries that are news, in their order. */
  handleBatch({ stateIncarnation, entries, removed }: ValueBatch): readonly Entry[] {
    if (removed.length > 0)
      for (const [key, { entry }] of [...this.#held])
        if (removed.includes(entry.resourceId)) this.#held.delete(key);
    return entries.filter(entry => this.#isNews(stateIncarnation, entry));
  }

  #isNews(stateIncarnation: Uint8Array, entry: Entry): boolean {
    const key = entryKey(entry);
    const held = this.#held.get(key);
    if (!held && this.#held.size >= MAX_HELD) return false;
    const isNews = !held || isNewer(held, stateIncarnation, entry);
    if (isNews) this.#held.set(key, { stateIncarnation, entry });
    return isNews;
  }
}

function isNewer({ stateIncarnation, entry: held }: Held, incarnation: Uint8Array, entry: Entry): boolean {
  const isSameReading = held.lastUpdated?.getTime() === entry.lastUpdated?.getTime();
  if (!sameBytes(stateIncarnation, incarnation))
    return !isSameReading || !isSameWire(held.value, entry.value);
  if (entry.version !== held.version) return entry.version > held.version;
  // The same value, read again: told by a device that is to report even without a change.
  return (
    entry.realtime &&
    !isSameReading &&
    (entry.lastUpdated?.getTime() ?? 0) > (held.lastUpdated?.getTime() ?? 0)
  );
}

const isSameWire = (a: WireValue, b: WireValue): boolean => a === b || sameBytes(pack(a), pack(b));
