import { attributeOf } from '../lookup.js';
import type { AttributeDefinition } from '../model/attribute.js';
import type { AnyCapability } from '../model/capability.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import type { CapabilityRegistry } from '../registry.js';
import type { Entry } from './messages.js';
import { decodeValue, encodeValue } from './value-codec.js';

/** An attribute's value and all that is known about it, before it becomes an {@link Entry}. */
export interface AttributeReading {
  readonly resourceId: string;
  readonly instance?: string;
  readonly capability: AnyCapability;
  /** Name of the attribute. */
  readonly attribute: string;
  /** Typed as the definition says; `null` = not known. */
  readonly value: unknown;
  /** It was read just now; `false`: an older value is replayed. */
  readonly realtime: boolean;
  /** Time of the reading; `null`: never read. */
  readonly lastUpdated: Date | null;
  /** The device's version at the last change of this attribute. */
  readonly version: number;
}

/**
 * What an entry of a report means. `unknown`: a newer peer's capability or attribute, to be kept and passed on as it is.
 */
export type ReadEntry =
  | {
      readonly kind: 'known';
      readonly capability: AnyCapability;
      readonly attribute: AttributeDefinition;
      readonly value: unknown;
      /** As it came, with the numbers of enum values that read as `'unknown'`. */
      readonly entry: Entry;
    }
  | { readonly kind: 'unknown'; readonly entry: Entry };

/** An entry for a report. @throws {CapabilityError} `UNKNOWN_ATTRIBUTE`, or what is wrong with the value. */
export function encodeEntry(reading: AttributeReading): Entry {
  const { capability, resourceId, instance, realtime, lastUpdated, version } = reading;
  const attribute = attributeOf(capability, reading.attribute);
  const place = { capability: capability.name, member: attribute.name };
  return {
    resourceId,
    capabilityId: capability.id,
    ...(instance === undefined ? {} : { instance }),
    attributeId: attribute.id,
    value: encodeValue(attribute.type, reading.value, place),
    realtime,
    lastUpdated,
    version,
  };
}

/** The meaning of an entry; a value that its definition does not allow is refused. */
export function decodeEntry(registry: CapabilityRegistry, entry: Entry): Decoded<ReadEntry> {
  const capability = registry.byId(entry.capabilityId);
  const attribute = capability?.attributesById.get(entry.attributeId);
  if (capability === undefined || attribute === undefined) return decoded({ kind: 'unknown', entry });
  const value = decodeValue(attribute.type, entry.value);
  if (!value.ok) return refused(`${capability.name}.${attribute.name} ${value.reason}`);
  return decoded({ kind: 'known', capability, attribute, value: value.value, entry });
}
