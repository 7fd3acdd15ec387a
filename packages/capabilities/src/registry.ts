import { CapabilityError } from './errors.js';
import type { AnyCapability, CapabilityId } from './model/capability.js';
import { nearestName, suggestion } from './nearest.js';

/** The capabilities a program knows, by id and by name. Never changes: {@link CapabilityRegistry.with} makes a new one. */
export class CapabilityRegistry {
  readonly #byId: ReadonlyMap<CapabilityId, AnyCapability>;
  readonly #byName: ReadonlyMap<string, AnyCapability>;

  /** @throws {CapabilityError} `DUPLICATE_CAPABILITY` when two share an id or a name. */
  constructor(capabilities: Iterable<AnyCapability>) {
    const byId = new Map<CapabilityId, AnyCapability>();
    const byName = new Map<string, AnyCapability>();
    for (const capability of capabilities) {
      const other = byId.get(capability.id) ?? byName.get(capability.name);
      if (other === capability) continue;
      if (other !== undefined)
        throw new CapabilityError(
          'DUPLICATE_CAPABILITY',
          `${capability.name} (${String(capability.id)}) and ${other.name} (${String(other.id)}) share an id or a name`,
          { capability: capability.name },
        );
      byId.set(capability.id, capability);
      byName.set(capability.name, capability);
    }
    this.#byId = byId;
    this.#byName = byName;
  }

  /** The capability of that wire id, or `undefined`: unknown ones are passed on untouched. */
  byId(id: CapabilityId): AnyCapability | undefined {
    return this.#byId.get(id);
  }

  /** The capability of that name, or `undefined`. */
  byName(name: string): AnyCapability | undefined {
    return this.#byName.get(name);
  }

  /** The capability of that name. @throws {CapabilityError} `UNKNOWN_CAPABILITY`, with the nearest name. */
  require(name: string): AnyCapability {
    const capability = this.#byName.get(name);
    if (capability !== undefined) return capability;
    const known = [...this.#byName.keys()];
    const nearest = nearestName(name, known);
    throw new CapabilityError('UNKNOWN_CAPABILITY', `no capability '${name}'; ${suggestion(name, known)}`, {
      capability: name,
      ...(nearest === undefined ? {} : { nearest }),
    });
  }

  /** A registry that knows these as well. @throws {CapabilityError} as the constructor. */
  with(...capabilities: readonly AnyCapability[]): CapabilityRegistry {
    return new CapabilityRegistry([...this, ...capabilities]);
  }

  [Symbol.iterator](): Iterator<AnyCapability> {
    return this.#byId.values();
  }
}
