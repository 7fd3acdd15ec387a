import { suggestion } from '@coconet/capabilities';
import type {
  AnyCapability,
  CapabilityId,
  PowerSource,
  ReceiverType,
  ResourceDescription,
} from '@coconet/capabilities';
import { AttachedCapability, CapabilityGroup } from './attached-capability.js';
import type { CapabilityOwner } from './attached-capability.js';
import type { CapabilityHandle } from './capability-handle.js';
import { DeviceError } from './errors.js';

/** Capabilities of one resource: more than any standard profile has, instances included. */
const MAX_CAPABILITIES = 64;

/** What is known of a resource besides what it can do. */
export interface ResourceDetails {
  /** What people call it. Default: none, and user interfaces show the id. */
  readonly name?: string;
  /** Opaque text for user interfaces, e.g. which icon to show; at most 4096 bytes. */
  readonly metadata?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmwareVersion?: string;
  readonly powerSource?: PowerSource;
  readonly receiverType?: ReceiverType;
}

/** Options of `addResource`. */
export interface ResourceOptions<
  L extends readonly AnyCapability[] = readonly AnyCapability[],
> extends ResourceDetails {
  /** Labels of capabilities that the resource has several of: `{ electricalMeasurement: ['L1', 'L2', 'L3'] }`. */
  readonly instances?: { readonly [N in L[number]['name']]?: readonly string[] };
}

/** What every resource has besides its capabilities. */
export interface ResourceHandle {
  readonly id: string;
  readonly details: ResourceDetails;
  /** A capability by its name, when that is known at run time only. Throws `UNKNOWN_RESOURCE` with what there is. */
  capability(name: string): CapabilityHandle<AnyCapability>;
}

/** A resource in the hands of its device, with its capabilities as properties: `lamp.onOff.set({ on: true })`. */
export type DeviceResource<L extends readonly AnyCapability[] = readonly AnyCapability[]> = ResourceHandle & {
  readonly [D in L[number] as D['name']]: CapabilityHandle<D>;
};

/** One controllable or observable thing of a device. */
export class Resource implements ResourceHandle {
  readonly id: string;
  readonly details: ResourceDetails;
  readonly capabilities: readonly AttachedCapability[];
  /** The device's version when this description changed last. */
  version: number;
  /** Commands start one after the other, in the order they came, however long each then takes. */
  turn: Promise<unknown> = Promise.resolve();
  readonly #handles: ReadonlyMap<string, CapabilityHandle<AnyCapability>>;

  constructor(
    id: string,
    definitions: readonly AnyCapability[],
    options: ResourceOptions,
    owner: CapabilityOwner,
  ) {
    const { instances = {}, ...details } = options;
    this.id = id;
    this.details = details;
    this.version = owner.version();
    checkDefinitions(id, definitions, instances);
    const handles = new Map<string, CapabilityHandle<AnyCapability>>();
    const capabilities: AttachedCapability[] = [];
    for (const definition of definitions) {
      const labels = instances[definition.name];
      const attach = (instance?: string): AttachedCapability =>
        new AttachedCapability(
          definition,
          {
            resourceId: id,
            capabilityId: definition.id,
            ...(instance === undefined ? {} : { instance }),
          },
          owner,
        );
      const attached = labels === undefined ? [attach()] : labels.map(attach);
      capabilities.push(...attached);
      handles.set(
        definition.name,
        labels === undefined ? attached[0]! : new CapabilityGroup(definition, id, attached),
      );
    }
    if (capabilities.length > MAX_CAPABILITIES)
      throw new DeviceError(
        'LIMIT_REACHED',
        `resource '${id}' has ${capabilities.length} capabilities; a resource has at most ${MAX_CAPABILITIES}: make several resources of it`,
      );
    this.capabilities = capabilities;
    this.#handles = handles;
  }

  capability(name: string): CapabilityHandle<AnyCapability> {
    const handle = this.#handles.get(name);
    if (handle !== undefined) return handle;
    throw new DeviceError(
      'UNKNOWN_RESOURCE',
      `resource '${this.id}' has no capability '${name}'; ${suggestion(name, [...this.#handles.keys()])}`,
    );
  }

  /** The capability of that address, or `undefined`. */
  find(capabilityId: CapabilityId, instance: string | undefined): AttachedCapability | undefined {
    return this.capabilities.find(
      ({ address }) => address.capabilityId === capabilityId && address.instance === instance,
    );
  }

  /** The same resource with its capabilities as properties. */
  view<L extends readonly AnyCapability[]>(): DeviceResource<L> {
    const view: object = Object.freeze({
      id: this.id,
      details: this.details,
      capability: (name: string) => this.capability(name),
      ...Object.fromEntries(this.#handles),
    });
    // The handles are those of the very definitions whose names and types `L` has.
    return view as DeviceResource<L>;
  }
}

/** What peers are told of a resource's details. */
export const describeDetails = ({ id, details }: Resource): Omit<ResourceDescription, 'capabilities'> => ({
  resourceId: id,
  ...details,
});

const OWN_NAMES: readonly string[] = ['id', 'details', 'capability'];

function checkDefinitions(
  id: string,
  definitions: readonly AnyCapability[],
  instances: Readonly<Record<string, readonly string[] | undefined>>,
): void {
  const invalid = (what: string): DeviceError =>
    new DeviceError('INVALID_RESOURCE', `resource '${id}' ${what}`);
  const names = definitions.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index)
      throw invalid(`has the capability ${name} twice: give labels with the option 'instances'`);
    if (OWN_NAMES.includes(name)) throw invalid(`cannot have a capability called '${name}'`);
  }
  for (const [name, labels] of Object.entries(instances)) {
    if (!names.includes(name)) throw invalid(`has labels for '${name}'; ${suggestion(name, names)}`);
    if (labels === undefined) continue;
    if (labels.length === 0 || labels.some(label => label === '') || new Set(labels).size !== labels.length)
      throw invalid(`needs different, non-empty labels for its instances of ${name}`);
  }
}
