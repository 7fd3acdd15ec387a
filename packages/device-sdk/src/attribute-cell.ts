import { decodeValue, encodeValue, narrowed } from '@coconet/capabilities';
import type {
  AnyCapability,
  AttributeDefinition,
  Bounds,
  CapabilityAddress,
  DataType,
  Entry,
  WireValue,
} from '@coconet/capabilities';

/** A value as it was kept over a restart. */
export interface SavedValue {
  readonly wire: WireValue;
  readonly lastUpdated: Date | null;
}

/** A new value, checked and ready for the wire. */
export interface CheckedValue {
  readonly value: unknown;
  readonly wire: WireValue;
}

// What the program hands in stays the program's: a list it changes later must not change here.
const ownCopy = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? structuredClone(value) : value;

/** One attribute of one capability of one resource: its newest value and all that is known about it. */
export class AttributeCell {
  readonly capability: AnyCapability;
  readonly attribute: AttributeDefinition;
  readonly address: CapabilityAddress;
  /** As the wire has it. */
  wire: WireValue = null;
  /** Typed; `null` = not known. */
  value: unknown = null;
  /** Time of the newest reading, changed or not. */
  lastUpdated: Date | null = null;
  /** It was read since the process started. */
  fresh = false;
  /** The device's version at the last change. */
  version: number;
  /** How often it was set. */
  readings = 0;
  #type: DataType;
  #bounds: Bounds | undefined;

  constructor(
    capability: AnyCapability,
    attribute: AttributeDefinition,
    address: CapabilityAddress,
    version: number,
  ) {
    this.capability = capability;
    this.attribute = attribute;
    this.address = address;
    this.version = version;
    this.#type = attribute.type;
    if (attribute.default !== null) {
      const { value, wire } = this.check(attribute.default);
      this.value = value;
      this.wire = wire;
    }
  }

  /** The type with this device's own bounds. */
  get type(): DataType {
    return this.#type;
  }

  /** This device's own bounds, if it has any. */
  get bounds(): Bounds | undefined {
    return this.#bounds;
  }

  /** From now on values have to lie within these, and within those of the definition. */
  limit(bounds: Bounds): void {
    this.#bounds = bounds;
    this.#type = narrowed(this.attribute.type, bounds);
  }

  /** The value and its wire form. @throws {CapabilityError} what is wrong with it, and what would be right. */
  check(value: unknown): CheckedValue {
    const own = ownCopy(value);
    const place = { capability: this.capability.name, member: this.attribute.name };
    return { value: own, wire: encodeValue(this.#type, own, place) };
  }

  /** Takes over what an earlier process knew; a value that the definition no longer allows is passed over. */
  restore({ wire, lastUpdated }: SavedValue): void {
    const decoded = decodeValue(this.#type, wire);
    if (!decoded.ok) return;
    this.wire = wire;
    this.value = decoded.value;
    this.lastUpdated = lastUpdated;
  }

  /** The present value as an entry of a report. */
  entry(realtime: boolean): Entry {
    const { address, attribute, wire, lastUpdated, version } = this;
    return { ...address, attributeId: attribute.id, value: wire, realtime, lastUpdated, version };
  }
}
