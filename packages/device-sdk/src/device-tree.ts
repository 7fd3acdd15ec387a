import { MAX_NAME_BYTES, nearestName, sameValue, suggestion } from '@coconet/capabilities';
import type { AnyCapability } from '@coconet/capabilities';
import { encodeText } from '@coconet/cluster-protocol';
import type { AttributeReadingOf } from './attached-capability.js';
import type { AttributeCell, SavedValue } from './attribute-cell.js';
import { DeviceError } from './errors.js';
import { Resource } from './resource.js';
import type { ResourceOptions } from './resource.js';

/** Resources of one device: a large gateway has some hundreds. */
const MAX_RESOURCES = 4_096;

/** Removed resources remembered by name; who was away for more removals than that gets everything anew. */
const MAX_TOMBSTONES = 256;

/** An event: told once, to whoever is connected. */
export interface AttributeEvent {
  readonly cell: AttributeCell;
  readonly wire: AttributeReadingOf['wire'];
  readonly at: Date;
  readonly version: number;
}

/** Whoever follows the changes of a device. */
export interface TreeListener {
  /** Cells of one `set`, with their new readings. */
  read(cells: readonly AttributeCell[], events: readonly AttributeEvent[], at: Date): void;
  added(resource: Resource): void;
  removed(resource: Resource): void;
  /** What a resource can do has changed. */
  redescribed(resource: Resource): void;
}

/** Where the life of a device's state begins. */
export interface TreeOrigin {
  /** 8 bytes that name this life. */
  readonly incarnation: Uint8Array;
  readonly firstVersion: number;
}

/** All resources of a device, what changed when, and what was removed. */
export class DeviceTree {
  readonly incarnation: Uint8Array;
  readonly firstVersion: number;
  readonly #resources = new Map<string, Resource>();
  readonly #tombstones = new Map<string, number>();
  readonly #listener: TreeListener;
  readonly #wallTime: () => number;
  readonly #saved: (cell: AttributeCell) => SavedValue | undefined;
  #version: number;
  #tombstoneFloor: number;
  #closed = false;

  constructor(
    origin: TreeOrigin,
    listener: TreeListener,
    wallTime: () => number,
    saved: (cell: AttributeCell) => SavedValue | undefined,
  ) {
    this.incarnation = origin.incarnation;
    this.firstVersion = origin.firstVersion;
    this.#version = origin.firstVersion;
    this.#tombstoneFloor = origin.firstVersion;
    this.#listener = listener;
    this.#wallTime = wallTime;
    this.#saved = saved;
  }

  /** Counts every change. */
  get version(): number {
    return this.#version;
  }

  get resources(): ReadonlyMap<string, Resource> {
    return this.#resources;
  }

  /** Adds a resource. @throws {DeviceError} `INVALID_RESOURCE`, `DUPLICATE_RESOURCE`, `LIMIT_REACHED`, `DEVICE_CLOSED`. */
  add(id: string, definitions: readonly AnyCapability[], options: ResourceOptions): Resource {
    this.assertOpen();
    checkId(id);
    if (this.#resources.has(id))
      throw new DeviceError(
        'DUPLICATE_RESOURCE',
        `this device has a resource '${id}' already: give the other one another id, or remove this one first`,
      );
    if (this.#resources.size >= MAX_RESOURCES)
      throw new DeviceError(
        'LIMIT_REACHED',
        `this device has ${MAX_RESOURCES} resources, the most there can be`,
      );
    // Nothing is attached to it before it is whole, so that its constructor's failure leaves no trace.
    const resource = new Resource(id, definitions, options, {
      version: () => this.#version + 1,
      assertUsable: () => this.#assertUsable(id, resource),
      take: readings => this.#take(readings),
      redescribe: () => this.#redescribe(resource),
    });
    this.#version++;
    this.#tombstones.delete(id);
    this.#resources.set(id, resource);
    for (const { cells } of resource.capabilities)
      for (const cell of cells.values()) {
        const saved = cell.attribute.persist ? this.#saved(cell) : undefined;
        if (saved !== undefined) cell.restore(saved);
      }
    this.#listener.added(resource);
    return resource;
  }

  /** Removes a resource. @throws {DeviceError} `UNKNOWN_RESOURCE`, with the nearest id. */
  remove(id: string): void {
    this.assertOpen();
    const resource = this.require(id);
    this.#resources.delete(id);
    this.#tombstones.set(id, ++this.#version);
    if (this.#tombstones.size > MAX_TOMBSTONES) {
      const [oldest, version] = this.#tombstones.entries().next().value!;
      this.#tombstones.delete(oldest);
      this.#tombstoneFloor = version;
    }
    this.#listener.removed(resource);
  }

  /** The resource of that id. @throws {DeviceError} `UNKNOWN_RESOURCE`, with the nearest id. */
  require(id: string): Resource {
    const resource = this.#resources.get(id);
    if (resource !== undefined) return resource;
    throw new DeviceError('UNKNOWN_RESOURCE', this.missing(id));
  }

  /** A sentence about an id that there is not. */
  missing(id: string): string {
    const known = [...this.#resources.keys()];
    // A gateway's whole list would be no help to anybody.
    const hint =
      known.length <= 20 || nearestName(id, known) !== undefined
        ? suggestion(id, known)
        : `there are ${known.length} others`;
    return `this device has no resource '${id}'; ${hint}`;
  }

  /** Whether a peer that knows everything up to `version` of this life can be told just what changed since. */
  canResume(incarnation: Uint8Array, version: number): boolean {
    return (
      version >= this.#tombstoneFloor &&
      version <= this.#version &&
      incarnation.length === this.incarnation.length &&
      incarnation.every((byte, index) => byte === this.incarnation[index])
    );
  }

  /** Ids of resources that were removed after `version`. */
  removedSince(version: number): readonly string[] {
    return [...this.#tombstones].filter(([, removedAt]) => removedAt > version).map(([id]) => id);
  }

  /** Nothing changes any more. */
  close(): void {
    this.#closed = true;
  }

  /** @throws {DeviceError} `DEVICE_CLOSED`. */
  assertOpen(): void {
    if (this.#closed) throw new DeviceError('DEVICE_CLOSED', 'this device is closed');
  }

  #assertUsable(id: string, resource: Resource): void {
    this.assertOpen();
    if (this.#resources.get(id) === resource) return;
    throw new DeviceError('RESOURCE_REMOVED', `the resource '${id}' was removed from this device`);
  }

  #redescribe(resource: Resource): void {
    resource.version = ++this.#version;
    this.#listener.redescribed(resource);
  }

  #take(readings: readonly AttributeReadingOf[]): void {
    const at = new Date(this.#wallTime());
    const cells: AttributeCell[] = [];
    const events: AttributeEvent[] = [];
    for (const { cell, value, wire } of readings) {
      cell.readings++;
      if (cell.attribute.delivery === 'event') {
        events.push({ cell, wire, at, version: ++this.#version });
        continue;
      }
      if (!sameValue(cell.value, value)) cell.version = ++this.#version;
      cell.value = value;
      cell.wire = wire;
      cell.lastUpdated = at;
      cell.fresh = true;
      cells.push(cell);
    }
    this.#listener.read(cells, events, at);
  }
}

function checkId(id: string): void {
  const bytes = encodeText(id).length;
  if (bytes > 0 && bytes <= MAX_NAME_BYTES && !/\p{Surrogate}|\p{Cc}/u.test(id)) return;
  throw new DeviceError(
    'INVALID_RESOURCE',
    `${JSON.stringify(id.slice(0, 140))} is no resource id: 1 to ${MAX_NAME_BYTES} bytes of text without control characters`,
  );
}
