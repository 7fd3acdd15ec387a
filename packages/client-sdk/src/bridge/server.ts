import {
  fieldsFromJson,
  fieldsToJson,
  type JsonValue,
  type SubscriptionFilter,
  valueFromJson,
  valueToJson,
} from '@coconet/capabilities';
import type { ClientNetwork } from '../client-network.js';
import type { Outcome } from '../command-call.js';
import { ClientError } from '../errors.js';
import { entryKey } from '../held-entries.js';
import type { InvitationWish } from '../network.js';
import { mapBatches, NewestQueue } from '../newest-queue.js';
import type { BridgeMethod, JsonObject } from '../platform/platform.js';
import type { AttributeReport, GenericCapability } from '../resource.js';
import type { CallRequest, NetworkSource } from '../source.js';
import type { ValueBatch } from '../subscription.js';
import {
  BRIDGE_VERSION,
  integerIn,
  isObject,
  METHODS,
  nodeIn,
  objectIn,
  optionalNumberIn,
  optionalTextIn,
  optionalTextsIn,
  textIn,
} from './methods.js';
import { nonsense, packBatch, packDescription, packOutcome, unpackList } from './wire.js';

/** Whoever holds the node, as the bridge uses it. */
export interface BridgeHolder {
  readonly network: ClientNetwork;
  /** The node in this process. */
  readonly source: NetworkSource;
  /** The node is about to be given up. */
  readonly ending: () => boolean;
}

/** The methods with which the program that holds the node serves others. */
export function bridgeMethods(holder: BridgeHolder): Readonly<Record<string, BridgeMethod>> {
  const methods = { ...namedMethods(holder.network), ...sdkMethods(holder) };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, guarded(holder, method)]));
}

/** The same, but whoever asks a program that is about to end is sent to the next one. */
function guarded(holder: BridgeHolder, method: BridgeMethod): BridgeMethod {
  const told = (error: unknown): unknown => (holder.ending() ? goingAway() : error);
  async function* items(stream: AsyncIterable<unknown>): AsyncGenerator {
    try {
      yield* stream;
    } catch (error) {
      throw told(error);
    }
  }
  return async (params, context) => {
    if (holder.ending()) throw goingAway();
    try {
      const result: unknown = await method(params, context);
      return isStream(result) ? items(result) : result;
    } catch (error) {
      throw told(error);
    }
  };
}

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

function namedMethods(network: ClientNetwork): Record<string, BridgeMethod> {
  return {
    [METHODS.info]: () => {
      const { networkId, nodeId, name, role, nmn } = network;
      return { version: BRIDGE_VERSION, networkId, nodeId, name, role, nmn };
    },
    [METHODS.nodes]: () => network.nodes(),
    [METHODS.resources]: async (params, { signal }) => {
      await network.ready({ timeout: optionalNumberIn(params, 'timeout'), signal });
      return network.resources().map(({ info }) => info);
    },
    [METHODS.read]: async (params, { signal }) => {
      const capability = await capabilityOf(network, params, signal);
      const reading = await capability.read({ ...waiting(params, signal), fresh: params.fresh === true });
      const { fresh, at, ...values } = reading;
      return { values: fieldsToJson(values), fresh, at };
    },
    [METHODS.write]: async (params, { signal }) => {
      const capability = await capabilityOf(network, params, signal);
      await capability.write(writeFromJson(capability, objectIn(params, 'values')), waiting(params, signal));
    },
    [METHODS.command]: async (params, { signal }) => {
      const capability = await capabilityOf(network, params, signal);
      const command = textIn(params, 'command');
      const { definition } = capability;
      const given = fieldsFromJson(definition.commands[command]?.parameters ?? {}, jsonIn(params), {
        capability: definition.name,
        member: command,
      });
      return fieldsToJson(await capability.call(command, given, waiting(params, signal)));
    },
    [METHODS.ask]: async (params, { signal }) => {
      const capability = await capabilityOf(network, params, signal);
      const name = textIn(params, 'infoRequest');
      const { definition } = capability;
      const given = fieldsFromJson(definition.infoRequests[name]?.parameters ?? {}, jsonIn(params), {
        capability: definition.name,
        member: name,
      });
      return fieldsToJson(await capability.ask(name, given, waiting(params, signal)));
    },
    [METHODS.watch]: async (params, { signal }) => {
      const capabilities = optionalTextsIn(params, 'capabilities');
      const minInterval = optionalNumberIn(params, 'minInterval');
      const maxInterval = optionalNumberIn(params, 'maxInterval');
      const options = { capabilities, minInterval, maxInterval, signal };
      const address = optionalTextIn(params, 'address');
      const reports =
        address === undefined
          ? network.watch({ ...options, ...(params.node !== undefined && { node: nodeIn(params) }) })
          : (await network.resource(address, waiting(params, signal))).watch(options);
      return reportsToJson(reports);
    },
    [METHODS.watchNodes]: (_params, { signal }) => network.watchNodes({ signal }),
    [METHODS.dropped]: () => network.dropped(),
    [METHODS.explain]: params => network.explain(nodeIn(params)),
    [METHODS.ping]: (params, { signal }) =>
      network.ping(nodeIn(params), {
        count: optionalNumberIn(params, 'count'),
        interval: optionalNumberIn(params, 'interval'),
        ...waiting(params, signal),
      }),
    [METHODS.createInvitation]: (params, { signal }) =>
      network.admin.createInvitation(wishIn(params), waiting(params, signal)),
    [METHODS.revoke]: (params, { signal }) =>
      network.admin.revoke(nodeIn(params), optionalTextIn(params, 'reason'), waiting(params, signal)),
    [METHODS.leave]: (params, { signal }) => network.admin.leave(waiting(params, signal)),
  };
}

function sdkMethods(holder: BridgeHolder): Record<string, BridgeMethod> {
  const { network, source } = holder;
  const calls = new Map<string, AbortController>();
  return {
    [METHODS.cancel]: params => {
      calls
        .get(textIn(params, 'call'))
        ?.abort(new ClientError('CANCELLED', 'called off by the program that asked'));
    },
    [METHODS.view]: (_params, { signal }) => viewChanges(network, signal),
    [METHODS.follow]: (params, { signal }) => {
      const { resources, capabilities } = objectIn(params, 'filter');
      const filter = {
        ...(resources !== undefined && { resources }),
        ...(capabilities !== undefined && { capabilities }),
      } as SubscriptionFilter;
      const wish = {
        filter,
        minInterval: optionalNumberIn(params, 'minInterval'),
        maxInterval: optionalNumberIn(params, 'maxInterval'),
      };
      return batches(source, integerIn(params, 'nodeId'), wish, signal);
    },
    [METHODS.call]: (params, { signal }) => {
      const id = textIn(params, 'call');
      const abort = new AbortController();
      calls.set(id, abort);
      signal.addEventListener('abort', () => abort.abort(signal.reason), { once: true });
      return callSteps(holder, params, abort.signal, () => calls.delete(id));
    },
  };
}

/** The picture, then what changes in it. */
async function* viewChanges({ view }: ClientNetwork, signal: AbortSignal): AsyncGenerator<JsonObject> {
  const queue = new NewestQueue<() => JsonObject>(() => stop(), signal);
  const node = (nodeId: number): readonly [string, () => JsonObject] => [
    `node ${nodeId}`,
    () => ({ node: view.nodes.get(nodeId) ?? null, nodeId }),
  ];
  const device = (nodeId: number): readonly [string, () => JsonObject] => [
    `device ${nodeId}`,
    () => {
      const { connected = false, unreachable, description } = view.devices.get(nodeId) ?? {};
      return {
        device: nodeId,
        connected,
        unreachable,
        ...(description && { description: packDescription(description) }),
      };
    },
  ];
  const condition = ['condition', () => ({ condition: view.condition })] as const;
  const stop = view.on(change => {
    queue.put([
      change.kind === 'node'
        ? node(change.nodeId)
        : change.kind === 'device'
          ? device(change.nodeId)
          : condition,
    ]);
  });
  queue.put([...view.nodes.keys()].map(node));
  queue.put([...[...view.devices.keys()].map(device), condition, ['begun', () => ({ begun: true })]]);
  for await (const items of mapBatches(queue, all => all)) for (const item of items) yield item();
}

/** Batches of values; of what is not read in time, the newest. */
async function* batches(
  source: NetworkSource,
  nodeId: number,
  wish: {
    readonly filter: SubscriptionFilter;
    readonly minInterval: number | undefined;
    readonly maxInterval: number | undefined;
  },
  signal: AbortSignal,
): AsyncGenerator<JsonObject> {
  const queue = new NewestQueue<Pick<ValueBatch, 'entries' | 'removed'>>(() => stop(), signal);
  let incarnation = new Uint8Array(8);
  let snapshot = false;
  const stop = source.watch(
    { nodeId, ...wish },
    {
      values: batch => {
        incarnation = new Uint8Array(batch.stateIncarnation);
        snapshot ||= batch.snapshot;
        queue.put([
          ...batch.entries.map(entry => [entryKey(entry), { entries: [entry], removed: [] }] as const),
          ...batch.removed.map(id => [`removed ${id}`, { entries: [], removed: [id] }] as const),
        ]);
      },
      refused: error => queue.end(error),
    },
  );
  yield* mapBatches(queue, items => {
    const batch = {
      stateIncarnation: incarnation,
      snapshot,
      entries: items.flatMap(({ entries }) => entries),
      removed: items.flatMap(({ removed }) => removed),
    };
    snapshot = false;
    return { batch: packBatch(batch) };
  });
}

/** What becomes of a call, step by step. */
async function* callSteps(
  holder: BridgeHolder,
  params: JsonObject,
  signal: AbortSignal,
  over: () => void,
): AsyncGenerator<JsonObject> {
  const steps = new NewestQueue<JsonObject>(() => undefined, undefined);
  const late = params.late === true;
  void holder.source
    .call(requestIn(params), {
      timeout: optionalNumberIn(params, 'timeout') ?? Infinity,
      signal,
      onProgress: ({ progress, message }) => steps.put([['progress', { progress: { progress, message } }]]),
      ...(late && {
        onLateOutcome: ({ status, message }: { status: string; message: string | undefined }) => {
          steps.put([['late', { late: { status, message } }]]);
          steps.end();
        },
      }),
    })
    .then(
      outcome => finish(holder, steps, outcome, late, signal),
      (error: unknown) => steps.end(error as Error),
    )
    .finally(over);
  yield* flat(steps);
}

function finish(
  holder: BridgeHolder,
  steps: NewestQueue<JsonObject>,
  outcome: Outcome,
  late: boolean,
  signal: AbortSignal,
): void {
  // Called off because this program ends, not by whoever asked: the next holder may do it.
  if (holder.ending() && outcome.code === 'cancelled' && !outcome.answered && !signal.aborted) {
    steps.end(goingAway());
    return;
  }
  steps.put([['outcome', { outcome: packOutcome(outcome) }]]);
  // Where the truth may come later, the other program says when it has waited long enough.
  if (!late || outcome.code !== 'outcomeUnknown' || outcome.answered) steps.end();
}

async function* flat(queue: NewestQueue<JsonObject>): AsyncGenerator<JsonObject> {
  for await (const items of mapBatches(queue, all => all)) yield* items;
}

async function* reportsToJson(
  reports: AsyncIterable<readonly AttributeReport[]>,
): AsyncGenerator<readonly JsonObject[]> {
  for await (const batch of reports) yield batch.map(report => ({ ...report, value: jsonOf(report.value) }));
}

// The value of an attribute that this program does not know is as the wire has it, and may hold what JSON has no word for.
const jsonOf = (value: unknown): JsonValue =>
  value instanceof Map
    ? Object.fromEntries([...value].map(([key, item]) => [String(key), jsonOf(item)]))
    : Array.isArray(value)
      ? value.map(jsonOf)
      : valueToJson(value);

function requestIn(params: JsonObject): CallRequest {
  const nodeId = integerIn(params, 'nodeId');
  const {
    kind,
    resourceId,
    capabilityId,
    instance,
    id,
    params: given,
    attributes,
    idempotent,
  } = objectIn(params, 'request');
  if (
    typeof resourceId !== 'string' ||
    (typeof capabilityId !== 'string' && typeof capabilityId !== 'number')
  )
    throw nonsense();
  const address = { resourceId, capabilityId, ...(typeof instance === 'string' && { instance }) };
  if (kind === 'read') {
    const ids = Array.isArray(attributes) ? attributes.filter(each => typeof each === 'number') : undefined;
    return { kind, nodeId, address, attributes: ids };
  }
  if (typeof id !== 'number') throw nonsense();
  if (kind === 'command')
    return {
      kind,
      nodeId,
      address,
      commandId: id,
      params: unpackList(given),
      idempotent: idempotent === true,
    };
  if (kind === 'ask') return { kind, nodeId, address, infoRequestId: id, params: unpackList(given) };
  throw nonsense();
}

async function capabilityOf(
  network: ClientNetwork,
  params: JsonObject,
  signal: AbortSignal,
): Promise<GenericCapability> {
  const resource = await network.resource(textIn(params, 'address'), waiting(params, signal));
  return resource.capability(textIn(params, 'capability'), optionalTextIn(params, 'instance'));
}

function writeFromJson({ definition }: GenericCapability, values: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const attribute = definition.attributes[name];
      const place = { capability: definition.name, member: name };
      // An unknown name is refused by its name when it is written.
      return [name, attribute ? valueFromJson(attribute.type, value as JsonValue, place) : value];
    }),
  );
}

function wishIn(params: JsonObject): InvitationWish {
  const kind = textIn(params, 'kind');
  const role = optionalTextIn(params, 'role');
  if (kind !== 'device' && kind !== 'client' && kind !== 'service')
    throw new ClientError('INVALID_OPTION', `kind: '${kind}' is none of device, client, service`);
  if (role !== undefined && role !== 'none' && role !== 'guest' && role !== 'admin')
    throw new ClientError('INVALID_OPTION', `role: '${role}' is none of none, guest, admin`);
  return {
    kind,
    role,
    name: optionalTextIn(params, 'name'),
    user: optionalTextIn(params, 'user'),
    expiresIn: optionalNumberIn(params, 'expiresIn'),
  };
}

const waiting = (
  params: JsonObject,
  signal: AbortSignal,
): { readonly timeout: number | undefined; readonly signal: AbortSignal } => ({
  timeout: optionalNumberIn(params, 'timeout'),
  signal,
});

const jsonIn = (params: JsonObject): Readonly<Record<string, JsonValue>> =>
  // What came as JSON is JSON.
  isObject(params.params) ? (params.params as Readonly<Record<string, JsonValue>>) : {};

const goingAway = (): ClientError =>
  new ClientError('HOLDER_LOST', 'the program that holds the store is about to end: ask the next one');
