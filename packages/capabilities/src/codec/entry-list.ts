import { MAX_ELEMENTS } from '../model/limits.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import {
  capabilityId,
  counter,
  flag,
  list,
  name,
  optional,
  raw,
  timestamp,
  tuple,
  uint16,
} from './layout.js';
import type { WireField } from './layout.js';
import type { CapabilityAddress, Entry } from './messages.js';
import { asInteger, wireInteger } from './msgpack.js';
import type { WireValue } from './msgpack.js';

/** Neighbouring entries of one capability, so that its address is there once. */
interface Group extends CapabilityAddress {
  readonly realtime: boolean;
  /** Four values each: attribute id, value, ms before the base time or nil, versions before the base version. */
  readonly items: readonly WireValue[];
}

interface EntryList {
  readonly baseTime: Date;
  readonly baseVersion: number;
  readonly groups: readonly Group[];
}

const ITEM = { attributeId: 0, value: 1, age: 2, versionsBack: 3, end: 4 } as const;

const group = tuple<Group>({
  resourceId: name,
  capabilityId,
  instance: optional(name),
  realtime: flag,
  items: list(raw, MAX_ELEMENTS),
});

const entryList = tuple<EntryList>({
  baseTime: timestamp,
  baseVersion: counter,
  groups: list(group, MAX_ELEMENTS),
});

const sameAddress = (a: Group, b: Entry): boolean =>
  a.resourceId === b.resourceId &&
  a.capabilityId === b.capabilityId &&
  a.instance === b.instance &&
  a.realtime === b.realtime;

function gather(entries: readonly Entry[]): EntryList {
  const baseTime = entries.reduce(
    (latest, { lastUpdated }) => Math.max(latest, lastUpdated?.getTime() ?? 0),
    0,
  );
  const baseVersion = entries.reduce((newest, { version }) => Math.max(newest, version), 0);
  const groups: (Group & { readonly items: WireValue[] })[] = [];
  for (const entry of entries) {
    let last = groups.at(-1);
    // Only neighbours share a group: the order in which values are applied stays as it was given.
    if (last === undefined || !sameAddress(last, entry)) {
      const { resourceId, capabilityId: id, instance, realtime } = entry;
      last = {
        resourceId,
        capabilityId: id,
        ...(instance === undefined ? {} : { instance }),
        realtime,
        items: [],
      };
      groups.push(last);
    }
    last.items.push(
      uint16.toWire(entry.attributeId, 'attributeId'),
      entry.value,
      entry.lastUpdated === null ? null : wireInteger(baseTime - entry.lastUpdated.getTime()),
      wireInteger(baseVersion - entry.version),
    );
  }
  return { baseTime: new Date(baseTime), baseVersion, groups };
}

function spreadOne(base: EntryList, from: Group, at: number): Decoded<Entry> {
  const attributeId = uint16.fromWire(from.items[at + ITEM.attributeId] ?? null);
  if (!attributeId.ok) return refused(`attributeId: ${attributeId.reason}`);
  const wireAge = from.items[at + ITEM.age] ?? null;
  const age = wireAge === null ? null : asInteger(wireAge);
  if (age === undefined || (age !== null && age < 0)) return refused('age: not a counter');
  const lastUpdated = age === null ? null : new Date(base.baseTime.getTime() - age);
  if (lastUpdated !== null && Number.isNaN(lastUpdated.getTime())) return refused('age: no such time');
  const back = asInteger(from.items[at + ITEM.versionsBack]);
  if (back === undefined || back < 0 || back > base.baseVersion) return refused('version: out of range');
  const { resourceId, capabilityId: id, instance, realtime } = from;
  return decoded({
    resourceId,
    capabilityId: id,
    ...(instance === undefined ? {} : { instance }),
    attributeId: attributeId.value,
    value: from.items[at + ITEM.value] ?? null,
    realtime,
    lastUpdated,
    version: base.baseVersion - back,
  });
}

function spread(base: EntryList): Decoded<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const from of base.groups) {
    if (from.items.length % ITEM.end !== 0) return refused('entries: not in fours');
    for (let at = 0; at < from.items.length; at += ITEM.end) {
      const entry = spreadOne(base, from, at);
      if (!entry.ok) return entry;
      entries.push(entry.value);
    }
  }
  return decoded(entries);
}

/** Entries in their compact form: grouped by capability, times and versions as distances from the newest. */
export const entries: WireField<readonly Entry[]> = {
  toWire: (given, at) => entryList.toWire(gather(given), at),
  fromWire: wire => {
    const base = entryList.fromWire(wire);
    return base.ok ? spread(base.value) : base;
  },
};
