import { MAX_CONTAINERS, MAX_ELEMENTS, MAX_MAPS, MAX_PART_BYTES } from '../model/limits.js';
import { messageToWire } from './message-codec.js';
import type { DescriptionMessage, Entry, ReportMessage, ResourceDescription } from './messages.js';
import { weigh } from './msgpack.js';
import type { Weight, WireValue } from './msgpack.js';

// What else a part may need beside its list: nothing that is split off is larger than this.
const SPARE_ELEMENTS = 1_024;

const add = (a: Weight, b: Weight): Weight => ({
  bytes: a.bytes + b.bytes,
  elements: a.elements + b.elements,
  containers: a.containers + b.containers,
  maps: a.maps + b.maps,
});

const fits = (weight: Weight, maxBytes: number): boolean =>
  weight.bytes <= maxBytes &&
  weight.elements <= MAX_ELEMENTS - SPARE_ELEMENTS &&
  weight.containers <= MAX_CONTAINERS - SPARE_ELEMENTS &&
  weight.maps <= MAX_MAPS;

/** Consecutive runs of `items`, each as long as its bounds allow and never empty. */
function runs<T>(
  items: readonly T[],
  cost: (item: T) => Weight,
  envelope: Weight,
  maxBytes: number,
): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let spent = envelope;
  for (const item of items) {
    const part = parts.at(-1);
    const together = add(spent, cost(item));
    if (part !== undefined && fits(together, maxBytes)) {
      part.push(item);
      spent = together;
    } else {
      parts.push([item]);
      spent = add(envelope, cost(item));
    }
  }
  return parts;
}

// An entry on its own costs at most what it costs as a group with one item.
const entryCost = (entry: Entry): Weight => {
  const { resourceId, capabilityId, instance, value } = entry;
  const group: WireValue = [
    resourceId,
    capabilityId,
    instance ?? null,
    true,
    [0xffff, value, 2 ** 53, 2 ** 53],
  ];
  return weigh(group);
};

/**
 * A report as one or several, each at most `maxBytes` long (60 KiB if left out): the same versions in all, `last` in
 * the last alone, what was removed in the first alone.
 */
export function splitReport(
  report: ReportMessage,
  maxBytes: number = MAX_PART_BYTES,
): readonly ReportMessage[] {
  const { removed, ...rest } = report;
  const first: ReportMessage = { ...rest, entries: [], ...(removed === undefined ? {} : { removed }) };
  const parts = runs(report.entries, entryCost, weigh(messageToWire(first)), maxBytes);
  if (parts.length <= 1) return [report];
  return parts.map((entries, index) => ({
    ...(index === 0 ? first : rest),
    entries,
    last: report.last && index === parts.length - 1,
  }));
}

const resourceCost = (base: DescriptionMessage) => {
  const envelope = weigh(messageToWire(base));
  return (resource: ResourceDescription): Weight => {
    const with1 = weigh(messageToWire({ ...base, resources: [resource] }));
    return {
      bytes: with1.bytes - envelope.bytes,
      elements: with1.elements - envelope.elements,
      containers: with1.containers - envelope.containers,
      maps: with1.maps - envelope.maps,
    };
  };
};

/**
 * A description as one or several, each at most `maxBytes` long (60 KiB if left out): `full` in the first alone, `last`
 * in the last alone, what was removed in the first alone.
 */
export function splitDescription(
  description: DescriptionMessage,
  maxBytes: number = MAX_PART_BYTES,
): readonly DescriptionMessage[] {
  const base: DescriptionMessage = { ...description, resources: [] };
  const parts = runs(description.resources, resourceCost(base), weigh(messageToWire(base)), maxBytes);
  if (parts.length <= 1) return [description];
  return parts.map((resources, index) => ({
    ...description,
    resources,
    full: description.full && index === 0,
    last: description.last && index === parts.length - 1,
    removed: index === 0 ? description.removed : [],
  }));
}
