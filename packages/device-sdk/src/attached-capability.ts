import { attributeOf, commandOf, infoRequestOf, suggestion } from '@coconet/capabilities';
import type { AnyCapability, CapabilityAddress, WireValue } from '@coconet/capabilities';
import { AttributeCell } from './attribute-cell.js';
import type { CheckedValue } from './attribute-cell.js';
import type { AttributeLimits, CapabilityHandle } from './capability-handle.js';
import type { CommandContext } from './command-context.js';
import { DeviceError } from './errors.js';

/** A command's or info request's handler, its parameters checked against the definition before it is called. */
export type Handler = (parameters: Readonly<Record<string, unknown>>, context: CommandContext) => unknown;
/** Reads the named attributes of the hardware again. */
export type RefreshHandler = (attributes: readonly string[], context: CommandContext) => unknown;

/** A value that one `set` or `publish` brings. */
export interface AttributeReadingOf {
  readonly cell: AttributeCell;
  readonly value: unknown;
  readonly wire: WireValue;
}

/** What a capability tells the device it belongs to. */
export interface CapabilityOwner {
  /** The version that things have which are made now. */
  version(): number;
  /** Throws `RESOURCE_REMOVED` or `DEVICE_CLOSED`. */
  assertUsable(): void;
  /** New readings, together. */
  take(readings: readonly AttributeReadingOf[]): void;
  /** What the resource can do has changed. */
  redescribe(): void;
}

type Values = Readonly<Record<string, unknown>>;

const given = (values: Values): readonly [string, unknown][] =>
  Object.entries(values).filter(([, value]) => value !== undefined);

/** One capability of one resource: its attributes and what handles its commands. */
export class AttachedCapability implements CapabilityHandle<AnyCapability> {
  readonly definition: AnyCapability;
  readonly address: CapabilityAddress;
  /** By wire id. */
  readonly cells: ReadonlyMap<number, AttributeCell>;
  /** By wire id of the command. */
  readonly handlers: Map<number, Handler> = new Map<number, Handler>();
  /** By wire id of the info request. */
  readonly answers: Map<number, Handler> = new Map<number, Handler>();
  refreshHandler: RefreshHandler | undefined;
  writeHandler: Handler | undefined;
  readonly #owner: CapabilityOwner;

  constructor(definition: AnyCapability, address: CapabilityAddress, owner: CapabilityOwner) {
    this.definition = definition;
    this.address = address;
    this.#owner = owner;
    this.cells = new Map(
      Object.values(definition.attributes).map(attribute => [
        attribute.id,
        new AttributeCell(definition, attribute, address, owner.version()),
      ]),
    );
  }

  get values(): Values {
    return Object.fromEntries([...this.cells.values()].map(cell => [cell.attribute.name, cell.value]));
  }

  get(attribute: string): unknown {
    return this.#cell(attribute).value;
  }

  set(values: Values): void {
    this.#owner.assertUsable();
    const readings = this.check(values);
    const wrong = readings.find(({ cell }) => cell.attribute.publishOnly);
    if (wrong !== undefined)
      throw new DeviceError(
        'NOT_PUBLISHABLE',
        `${this.#nameOf(wrong.cell)} is never kept: send it with publish, not with set`,
      );
    if (readings.length > 0) this.#owner.take(readings);
  }

  publish(values: Values): void {
    this.#owner.assertUsable();
    const readings = this.check(values);
    const wrong = readings.find(({ cell }) => cell.attribute.delivery !== 'event');
    if (wrong !== undefined)
      throw new DeviceError(
        'NOT_PUBLISHABLE',
        `${this.#nameOf(wrong.cell)} is state that apps keep: change it with set, not with publish`,
      );
    if (readings.length > 0) this.#owner.take(readings);
  }

  handle(handlers: Values): void {
    this.#owner.assertUsable();
    for (const [name, handler] of given(handlers)) {
      const run = this.#functionOf(name, handler);
      if (name === 'refresh') this.refreshHandler = handler as RefreshHandler;
      else if (name === 'write') this.writeHandler = run;
      else this.handlers.set(commandOf(this.definition, name).id, run);
    }
    this.#owner.redescribe();
  }

  answer(handlers: Values): void {
    this.#owner.assertUsable();
    for (const [name, handler] of given(handlers))
      this.answers.set(infoRequestOf(this.definition, name).id, this.#functionOf(name, handler));
    this.#owner.redescribe();
  }

  limit(limits: AttributeLimits<AnyCapability>): void {
    this.#owner.assertUsable();
    for (const [name, bounds] of Object.entries(limits))
      if (bounds !== undefined) this.#cell(name).limit(bounds);
    this.#owner.redescribe();
  }

  instance(label: string): this {
    if (label === this.address.instance) return this;
    throw unknownInstance(this.address, this.definition, label, []);
  }

  /** Values by name, checked all together. @throws {CapabilityError} for the first that is wrong. */
  check(values: Values): readonly AttributeReadingOf[] {
    return given(values).map(([name, value]): AttributeReadingOf => {
      const cell = this.#cell(name);
      const checked: CheckedValue = cell.check(value);
      return { cell, ...checked };
    });
  }

  /** Takes readings that were checked before. */
  take(readings: readonly AttributeReadingOf[]): void {
    this.#owner.take(readings);
  }

  /** `onOff`, or `electricalMeasurement[L1]`. */
  get label(): string {
    const { instance } = this.address;
    return instance === undefined ? this.definition.name : `${this.definition.name}[${instance}]`;
  }

  #cell(name: string): AttributeCell {
    return this.cells.get(attributeOf(this.definition, name).id)!;
  }

  #nameOf(cell: AttributeCell): string {
    return `${this.label}.${cell.attribute.name}`;
  }

  #functionOf(name: string, handler: unknown): Handler {
    if (typeof handler === 'function') return handler as Handler;
    throw new DeviceError(
      'INVALID_OPTION',
      `the handler of ${this.label}.${name} is no function but ${handler === null ? 'null' : typeof handler}`,
    );
  }
}

/** Several equal capabilities of one resource under their labels. */
export class CapabilityGroup implements CapabilityHandle<AnyCapability> {
  readonly #definition: AnyCapability;
  readonly #members: ReadonlyMap<string, AttachedCapability>;
  readonly #resourceId: string;

  constructor(definition: AnyCapability, resourceId: string, members: readonly AttachedCapability[]) {
    this.#definition = definition;
    this.#resourceId = resourceId;
    this.#members = new Map(members.map(member => [member.address.instance ?? '', member]));
  }

  get values(): Values {
    return this.#refuse();
  }

  get(): unknown {
    return this.#refuse();
  }

  set(): void {
    this.#refuse();
  }

  publish(): void {
    this.#refuse();
  }

  handle(handlers: Values): void {
    for (const member of this.#members.values()) member.handle(handlers);
  }

  answer(handlers: Values): void {
    for (const member of this.#members.values()) member.answer(handlers);
  }

  limit(limits: AttributeLimits<AnyCapability>): void {
    for (const member of this.#members.values()) member.limit(limits);
  }

  instance(label: string): AttachedCapability {
    const member = this.#members.get(label);
    if (member !== undefined) return member;
    throw unknownInstance({ resourceId: this.#resourceId }, this.#definition, label, [
      ...this.#members.keys(),
    ]);
  }

  #refuse(): never {
    const { name } = this.#definition;
    const labels = [...this.#members.keys()];
    throw new DeviceError(
      'UNKNOWN_INSTANCE',
      `${this.#resourceId} has several ${name}: say which, ${name}.instance('${labels[0] ?? ''}'); there are ${labels.join(', ')}`,
    );
  }
}

const unknownInstance = (
  { resourceId }: Pick<CapabilityAddress, 'resourceId'>,
  { name }: AnyCapability,
  label: string,
  labels: readonly string[],
): DeviceError =>
  new DeviceError(
    'UNKNOWN_INSTANCE',
    `${resourceId} has no ${name} '${label}'; ${suggestion(label, labels)}`,
  );
