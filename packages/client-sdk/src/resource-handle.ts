import {
  type AnyCapability,
  attributeOf,
  type CapabilityAddress,
  type CapabilityDescription,
  type CapabilityRegistry,
  commandOf,
  decodeAnswer,
  decodeResponse,
  encodeParameters,
  encodeQuestion,
  encodeRefresh,
  encodeWrite,
  IMPLICIT_COMMANDS,
  infoRequestOf,
  isSuccess,
  nearestName,
  type Reading,
  type ResourceDescription,
  suggestion,
  type WireValue,
} from '@coconet/capabilities';
import { checkTimeout, CALL_TIMEOUT } from './client-options.js';
import type { Outcome } from './command-call.js';
import { ClientError, CommandError, isFailure } from './errors.js';
import type { FollowedEntry } from './following.js';
import { isSamePlace } from './held-entries.js';
import type { NetworkView } from './network-view.js';
import { mapBatches, type NewestQueue } from './newest-queue.js';
import { attributeReportOf, ReadingBuilder } from './reading.js';
import { addressOf, capabilityInfoOf, resourceInfoOf } from './resource-info.js';
import type {
  AttributeReport,
  CallOptions,
  CapabilityHandle,
  CapabilityInfo,
  GenericCapability,
  Loose,
  ReadOptions,
  Resource,
  ResourceInfo,
  ResourceWatchOptions,
  TypedResource,
  WatchOptions,
} from './resource.js';
import type { NetworkSource } from './source.js';
import type { SubscriptionWish } from './subscription.js';

/** Every capability has these, and no definition says so: both may run twice (docs/spec/07-capabilities.md). */
const IMPLICIT = {
  write: { id: IMPLICIT_COMMANDS.write, idempotent: true },
  refresh: { id: IMPLICIT_COMMANDS.refresh, idempotent: true },
} as const;

/** What handles of resources stand on. */
export interface HandleWorld {
  readonly view: NetworkView;
  readonly registry: CapabilityRegistry;
  readonly source: NetworkSource;
  /** Begins to follow a device. */
  follow(nodeId: number, wish: SubscriptionWish, signal: AbortSignal | undefined): NewestQueue<FollowedEntry>;
}

/** Where a resource is. */
export interface ResourcePlace {
  readonly nodeId: number;
  readonly resourceId: string;
}

/** A resource in the hands of an app: whatever it is asked, it answers from the picture of this moment. */
export class ResourceHandle implements Resource {
  readonly #world: HandleWorld;
  readonly #place: ResourcePlace;
  /** As it was last seen: a handle outlives a resource that comes and goes. */
  #description: ResourceDescription;

  constructor(world: HandleWorld, place: ResourcePlace, description: ResourceDescription) {
    this.#world = world;
    this.#place = place;
    this.#description = description;
  }

  get info(): ResourceInfo {
    const { view, registry } = this.#world;
    return resourceInfoOf(view, registry, this.#place.nodeId, this.#now());
  }

  capability<D extends AnyCapability>(definition: D, instance?: string): CapabilityHandle<D>;
  capability(name: string, instance?: string): GenericCapability;
  capability(
    wanted: AnyCapability | string,
    instance?: string,
  ): CapabilityHandle<AnyCapability> | GenericCapability {
    if (typeof wanted !== 'string') return typedHandle(this.#use(wanted, instance));
    const { registry } = this.#world;
    const described = this.#now().capabilities.find(
      ({ capabilityId }) => nameOf(registry, capabilityId) === wanted,
    );
    if (!described) throw this.#missing(wanted);
    const definition = registry.byId(described.capabilityId);
    if (!definition)
      throw new ClientError(
        'CAPABILITY_MISSING',
        `this program does not know the capability ${wanted} of ${this.#address()}: give its definition to connect`,
      );
    return this.#use(definition, instance);
  }

  async *watch(
    options: ResourceWatchOptions = {},
  ): AsyncGenerator<readonly AttributeReport[], void, undefined> {
    const { registry } = this.#world;
    const { nodeId, resourceId } = this.#place;
    const wanted = options.capabilities?.map(name => this.capability(name).info.id);
    const filter = { resources: [resourceId], ...(wanted && { capabilities: wanted }) };
    const queue = this.#world.follow(nodeId, wishOf(filter, options), options.signal);
    yield* mapBatches(queue, items =>
      items.flatMap(item => attributeReportOf(registry, this.#address(), item) ?? []),
    );
  }

  /** The same with capabilities as properties. @throws {ClientError} `CAPABILITY_MISSING`. */
  typed<const L extends readonly AnyCapability[]>(capabilities: L): TypedResource<L> {
    const view: object = {
      capability: (wanted: AnyCapability, instance?: string) => this.capability(wanted, instance),
      watch: (options?: ResourceWatchOptions) => this.watch(options),
    };
    Object.defineProperty(view, 'info', { get: () => this.info, enumerable: true });
    for (const definition of capabilities)
      Object.defineProperty(view, definition.name, { get: this.#property(definition), enumerable: true });
    // The properties are made from the very definitions whose names and types `L` has.
    return view as TypedResource<L>;
  }

  #property(definition: AnyCapability): () => unknown {
    const all = this.#described(definition);
    if (all.length === 0) throw this.#missing(definition.name);
    // Of several instances the property means none: each is had with `capability`, and this says so.
    if (all.length > 1) return () => this.#use(definition, undefined);
    const handle = typedHandle(this.#use(definition, undefined));
    return () => handle;
  }

  #use(definition: AnyCapability, instance: string | undefined): CapabilityUse {
    const all = this.#described(definition);
    if (all.length === 0) throw this.#missing(definition.name);
    const chosen =
      instance === undefined && all.length === 1 ? all[0] : all.find(each => each.instance === instance);
    if (!chosen) {
      const labels = all.map(each => each.instance ?? '(none)');
      throw new ClientError(
        'INSTANCE_NEEDED',
        instance === undefined
          ? `${this.#address()} has several ${definition.name}: say which, there are ${labels.join(', ')}`
          : `${this.#address()} has no ${definition.name} '${instance}'; ${suggestion(instance, labels)}`,
      );
    }
    const address = {
      resourceId: this.#place.resourceId,
      capabilityId: definition.id,
      ...(chosen.instance !== undefined && { instance: chosen.instance }),
    };
    return new CapabilityUse(this.#world, this.#place.nodeId, definition, address, () => {
      const now = this.#described(definition).find(each => each.instance === chosen.instance);
      return now ?? chosen;
    });
  }

  #described({ id }: AnyCapability): readonly CapabilityDescription[] {
    return this.#now().capabilities.filter(({ capabilityId }) => capabilityId === id);
  }

  #now(): ResourceDescription {
    const { nodeId, resourceId } = this.#place;
    this.#description =
      this.#world.view.devices.get(nodeId)?.description?.resources.get(resourceId) ?? this.#description;
    return this.#description;
  }

  #missing(name: string): ClientError {
    const { registry } = this.#world;
    const names = [
      ...new Set(this.#now().capabilities.map(({ capabilityId }) => nameOf(registry, capabilityId))),
    ];
    const near = nearestName(name, names);
    return new ClientError(
      'CAPABILITY_MISSING',
      `${this.#address()} has no capability ${name}; ${near === undefined ? '' : `did you mean ${near}? `}it has ${names.join(', ') || 'none'}`,
    );
  }

  #address(): string {
    return addressOf(this.#world.view, this.#place.nodeId, this.#place.resourceId);
  }
}

/** One capability of one resource in the hands of an app. */
class CapabilityUse implements GenericCapability {
  readonly definition: AnyCapability;
  readonly #world: HandleWorld;
  readonly #nodeId: number;
  readonly #address: CapabilityAddress;
  readonly #described: () => CapabilityDescription;

  constructor(
    world: HandleWorld,
    nodeId: number,
    definition: AnyCapability,
    address: CapabilityAddress,
    described: () => CapabilityDescription,
  ) {
    this.#world = world;
    this.#nodeId = nodeId;
    this.definition = definition;
    this.#address = address;
    this.#described = described;
  }

  get info(): CapabilityInfo {
    return capabilityInfoOf(this.definition, this.#described());
  }

  async call(command: string, parameters: Loose = {}, options: CallOptions = {}): Promise<Loose> {
    const definition = commandOf(this.definition, command);
    const params = encodeParameters(this.definition, command, parameters);
    this.#require(
      this.#described().commands.includes(definition.id),
      `the command ${command}`,
      this.info.commands,
    );
    const outcome = await this.#command(command, definition, params, options);
    const response = decodeResponse(definition, outcome.response);
    if (!response.ok) throw this.#malformed(command, response.reason);
    return response.value;
  }

  async ask(infoRequest: string, parameters: Loose = {}, options: CallOptions = {}): Promise<Loose> {
    const definition = infoRequestOf(this.definition, infoRequest);
    const params = encodeQuestion(this.definition, infoRequest, parameters);
    const { infoRequests = [] } = this.#described();
    this.#require(
      infoRequests.includes(definition.id),
      `the info request ${infoRequest}`,
      this.info.infoRequests,
    );
    const outcome = await this.#world.source.call(
      { kind: 'ask', nodeId: this.#nodeId, address: this.#address, infoRequestId: definition.id, params },
      controlOf(options),
    );
    const answer = decodeAnswer(definition, this.#succeeded(infoRequest, outcome).response);
    if (!answer.ok) throw this.#malformed(infoRequest, answer.reason);
    return answer.value;
  }

  async read(options: ReadOptions = {}): Promise<Reading<AnyCapability>> {
    if (options.fresh === true) await this.refresh([], options);
    const outcome = await this.#world.source.call(
      { kind: 'read', nodeId: this.#nodeId, address: this.#address, attributes: undefined },
      controlOf(options),
    );
    const { entries = [] } = this.#succeeded('read', outcome);
    return new ReadingBuilder(this.definition).take(
      entries.filter(entry => isSamePlace(entry, this.#address)),
    );
  }

  async *watch(options: WatchOptions = {}): AsyncGenerator<Reading<AnyCapability>, void, undefined> {
    const { resourceId, capabilityId } = this.#address;
    const filter = { resources: [resourceId], capabilities: [capabilityId] };
    const builder = new ReadingBuilder(this.definition);
    let isFirst = true;
    const queue = this.#world.follow(this.#nodeId, wishOf(filter, options), options.signal);
    yield* mapBatches(queue, items => {
      const entries = items.map(({ entry }) => entry).filter(entry => isSamePlace(entry, this.#address));
      if (entries.length === 0 && !isFirst) return undefined;
      isFirst = false;
      return builder.take(entries);
    });
  }

  async write(values: Loose, options: CallOptions = {}): Promise<void> {
    const params = encodeWrite(this.definition, values);
    const there = this.#described().attributes;
    for (const name of Object.keys(values))
      this.#require(
        there.includes(attributeOf(this.definition, name).id),
        `the attribute ${name}`,
        this.info.attributes,
      );
    await this.#command('write', IMPLICIT.write, params, options);
  }

  async refresh(attributes: readonly string[] = [], options: CallOptions = {}): Promise<void> {
    const params = encodeRefresh(this.definition, attributes);
    await this.#command('refresh', IMPLICIT.refresh, params, options);
  }

  async #command(
    name: string,
    { id: commandId, idempotent }: { readonly id: number; readonly idempotent: boolean },
    params: readonly WireValue[],
    options: CallOptions,
  ): Promise<Outcome> {
    const request = {
      kind: 'command',
      nodeId: this.#nodeId,
      address: this.#address,
      commandId,
      params,
      idempotent,
    } as const;
    return this.#succeeded(name, await this.#world.source.call(request, controlOf(options)));
  }

  /** @throws {CommandError} for an outcome that is no success. */
  #succeeded(member: string, outcome: Outcome): Outcome {
    const { code, answered, field, message } = outcome;
    if (isSuccess(code)) return outcome;
    const failure = isFailure(code) ? code : 'unknown';
    const reason = message ?? (answered ? 'the device says no more' : 'no more is known');
    throw new CommandError(failure, `${this.#name(member)}: ${failure}: ${reason}`, {
      answered,
      ...(field !== undefined && { field }),
    });
  }

  #require(isThere: boolean, what: string, there: readonly string[]): void {
    if (isThere) return;
    throw new ClientError(
      'MEMBER_MISSING',
      `${this.#name()} does not have ${what} here; it has ${there.join(', ') || 'none of the kind'}`,
    );
  }

  #malformed(member: string, reason: string): ClientError {
    return new ClientError(
      'MALFORMED_ANSWER',
      `${this.#name(member)}: the device answered nonsense: ${reason}`,
    );
  }

  #name(member?: string): string {
    const { resourceId, instance } = this.#address;
    const label = instance === undefined ? this.definition.name : `${this.definition.name}[${instance}]`;
    return `${addressOf(this.#world.view, this.#nodeId, resourceId)} ${label}${member === undefined ? '' : `.${member}`}`;
  }
}

/** The same capability with its commands as methods. */
function typedHandle<D extends AnyCapability>(use: CapabilityUse): CapabilityHandle<D> {
  const { definition } = use;
  const methods = (
    names: readonly string[],
    run: (name: string, given: Loose, options?: CallOptions) => unknown,
  ) =>
    Object.fromEntries(
      names.map(name => [name, (given: Loose = {}, options?: CallOptions) => run(name, given, options)]),
    );
  const handle: object = Object.freeze({
    ...methods(Object.keys(definition.commands), (name, given, options) => use.call(name, given, options)),
    read: (options?: ReadOptions) => use.read(options),
    watch: (options?: WatchOptions) => use.watch(options),
    write: (values: Loose, options?: CallOptions) => use.write(values, options),
    refresh: (attributes?: readonly string[], options?: CallOptions) => use.refresh(attributes, options),
    ask: Object.freeze(
      methods(Object.keys(definition.infoRequests), (name, given, options) => use.ask(name, given, options)),
    ),
  });
  // Its methods are made from the very definition whose names and types `D` has.
  return handle as CapabilityHandle<D>;
}

const nameOf = (registry: CapabilityRegistry, id: CapabilityDescription['capabilityId']): string =>
  registry.byId(id)?.name ?? String(id);

const wishOf = (
  filter: SubscriptionWish['filter'],
  { minInterval, maxInterval }: WatchOptions,
): SubscriptionWish => ({
  filter,
  ...(minInterval !== undefined && { minInterval }),
  ...(maxInterval !== undefined && { maxInterval }),
});

const controlOf = ({ timeout = CALL_TIMEOUT, signal, onProgress, onLateOutcome }: CallOptions) => ({
  timeout: checkTimeout(timeout),
  signal,
  onProgress,
  onLateOutcome,
});
