import type { AnyCapability, CapabilityRegistry, Entry, Reading } from '@coconet/capabilities';
import { decodeEntry, decodeValue } from '@coconet/capabilities';
import type { FollowedEntry } from './following.js';
import type { AttributeReport } from './resource.js';

/** The picture of one capability, which grows with each report. */
export class ReadingBuilder {
  readonly #definition: AnyCapability;
  readonly #values: Record<string, unknown>;
  #at: Date | null = null;

  constructor(definition: AnyCapability) {
    this.#definition = definition;
    this.#values = Object.fromEntries(Object.keys(definition.attributes).map(name => [name, null]));
  }

  /** Takes what was reported together, and gives the picture after it. Values that the definition forbids are passed over. */
  take(entries: readonly Entry[]): Reading<AnyCapability> {
    this.#forgetEvents();
    let fresh = false;
    for (const { attributeId, value, realtime, lastUpdated } of entries) {
      const attribute = this.#definition.attributesById.get(attributeId);
      const decoded = attribute && decodeValue(attribute.type, value);
      if (!attribute || decoded?.ok !== true) continue;
      this.#values[attribute.name] = decoded.value;
      fresh ||= realtime;
      if (lastUpdated && (this.#at === null || lastUpdated > this.#at)) this.#at = lastUpdated;
    }
    return { ...this.#values, fresh, at: this.#at };
  }

  // An event is told once: it is no part of the pictures after it.
  #forgetEvents(): void {
    for (const { name, delivery } of Object.values(this.#definition.attributes))
      if (delivery === 'event') this.#values[name] = null;
  }
}

/** One value as generic programs get it; `undefined`: its definition forbids it. */
export function attributeReportOf(
  registry: CapabilityRegistry,
  address: string,
  { nodeId, entry, snapshot }: FollowedEntry,
): AttributeReport | undefined {
  const read = decodeEntry(registry, entry);
  if (!read.ok) return undefined;
  const { resourceId, capabilityId, instance, attributeId, realtime, lastUpdated } = entry;
  const known = read.value.kind === 'known' ? read.value : undefined;
  return {
    address,
    nodeId,
    resourceId,
    capability: known?.capability.name ?? registry.byId(capabilityId)?.name ?? String(capabilityId),
    instance,
    attribute: known?.attribute.name ?? `#${attributeId}`,
    value: known ? known.value : entry.value,
    fresh: realtime,
    at: lastUpdated,
    snapshot,
  };
}
