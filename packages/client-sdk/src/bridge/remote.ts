import {
  CLUSTER_ERROR_CODES,
  ClusterError,
  type ClusterErrorCode,
  type Role,
} from '@coconet/cluster-protocol';
import type { StatusCode } from '@coconet/capabilities';
import type { Outcome } from '../command-call.js';
import {
  CLIENT_ERROR_CODES,
  ClientError,
  type ClientErrorCode,
  CommandError,
  type FailureStatus,
  isFailure,
} from '../errors.js';
import type { DropCounts, Invitation, InvitationWish, NodeExplanation } from '../network.js';
import type { NetworkView } from '../network-view.js';
import type { BridgeConnection, JsonObject } from '../platform/platform.js';
import type {
  CallControl,
  CallRequest,
  NetworkSource,
  Patience,
  SelfReport,
  WatchRequest,
  WatchSink,
} from '../source.js';
import { BRIDGE_VERSION, isObject, METHODS } from './methods.js';
import { nodeInfoOf, nonsense, packList, unpackBatch, unpackDescription, unpackOutcome } from './wire.js';

/** Commands of whose outcome a late word is waited for. */
const MAX_LATE = 64;

/** The program that held the node is gone. `sent`: it may have done what it was asked. */
export class HolderLost extends Error {
  readonly sent: boolean;

  constructor(sent: boolean) {
    super('the program that held the store has ended');
    this.name = 'HolderLost';
    this.sent = sent;
  }
}

/** A network through another program that holds the node. */
export class RemoteSource implements NetworkSource {
  readonly shared = true;
  readonly self: SelfReport;
  readonly #connection: BridgeConnection;
  readonly #late: AbortController[] = [];
  #isLost = false;

  private constructor(connection: BridgeConnection, self: SelfReport) {
    this.#connection = connection;
    this.self = self;
    void connection.closed.then(() => {
      this.#isLost = true;
    });
  }

  /** Begins to use a holder: resolves when its picture is here. @throws {HolderLost} @throws {ClusterError} */
  static async open(
    connection: BridgeConnection,
    view: NetworkView,
    signal?: AbortSignal,
  ): Promise<RemoteSource> {
    const info = await connection.request(METHODS.info, {}, { signal }).catch((error: unknown) => {
      if (codeOf(error) === 'INVALID_ARGUMENT')
        throw new ClusterError(
          'STORE_IN_USE',
          'a program that is no app holds this store, a device perhaps: an app needs a store of its own',
        );
      throw translated(error, false);
    });
    if (!isObject(info)) throw nonsense();
    const { version, networkId, nodeId, name, role } = info;
    if (version !== BRIDGE_VERSION)
      throw new ClusterError(
        'STORE_NEWER',
        `the program that holds this store shares it in version ${String(version)}, this one in ${BRIDGE_VERSION}: update the older one`,
      );
    const source = new RemoteSource(connection, {
      networkId: String(networkId),
      nodeId: Number(nodeId),
      name: String(name),
      role: role as Role,
    });
    await source.#mirror(view);
    return source;
  }

  /** Resolves when the holder is gone. */
  get lost(): Promise<void> {
    return this.#connection.closed;
  }

  async call(
    request: CallRequest,
    { timeout, signal, onProgress, onLateOutcome }: CallControl,
  ): Promise<Outcome> {
    if (this.#isLost) throw new HolderLost(false);
    const call = crypto.randomUUID();
    const stop = new AbortController();
    // Called off by a message of its own: the end of the stream would hide what became of it.
    const abort = (): void => {
      void this.#connection.request(METHODS.cancel, { call }).catch(() => undefined);
    };
    const steps = this.#connection.stream(
      METHODS.call,
      {
        call,
        nodeId: request.nodeId,
        request: requestToJson(request),
        ...(timeout !== Infinity && { timeout }),
        ...(onLateOutcome && { late: true }),
      },
      { signal: stop.signal },
    );
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        this.#readSteps(steps, { onProgress, onLateOutcome }, resolve).catch((error: unknown) => {
          reject(translated(error, request.kind === 'command'));
        });
        signal?.addEventListener('abort', abort, { once: true });
        if (signal?.aborted === true) abort();
        if (onLateOutcome) this.#keepLate(stop);
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  watch({ nodeId, filter, minInterval, maxInterval }: WatchRequest, sink: WatchSink): () => void {
    const abort = new AbortController();
    const params = { nodeId, filter, minInterval, maxInterval };
    const read = async (): Promise<void> => {
      for await (const item of this.#connection.stream(
        METHODS.follow,
        { ...params },
        { signal: abort.signal },
      ))
        if (isObject(item) && !abort.signal.aborted) sink.values(unpackBatch(item.batch));
    };
    read().catch((error: unknown) => {
      const reason = translated(error, false);
      // The next holder goes on; whoever stopped does not want to know.
      if (!abort.signal.aborted && !(reason instanceof HolderLost)) sink.refused(reason);
    });
    return () => abort.abort();
  }

  async dropped(): Promise<DropCounts> {
    // Written by this very SDK of the same bridge version.
    return (await this.#request(METHODS.dropped, {})) as DropCounts;
  }

  async explain(nodeId: number): Promise<NodeExplanation> {
    // Written by this very SDK of the same bridge version.
    return (await this.#request(METHODS.explain, { node: nodeId })) as NodeExplanation;
  }

  async ping(nodeId: number, { timeout, signal }: Patience): Promise<number | null> {
    try {
      for await (const reply of this.#connection.stream(
        METHODS.ping,
        { node: nodeId, count: 1, timeout },
        { signal },
      ))
        return isObject(reply) && typeof reply.rtt === 'number' ? reply.rtt : null;
      return null;
    } catch (error) {
      const reason = translated(error, false);
      if (reason instanceof HolderLost) return null;
      throw reason;
    }
  }

  async invite(wish: InvitationWish, { timeout, signal }: Patience): Promise<Invitation> {
    const answer = await this.#request(METHODS.createInvitation, { ...wish, timeout }, signal);
    if (!isObject(answer)) throw nonsense();
    const { uri, nodeId, expiresAt } = answer;
    return { uri: String(uri), nodeId: Number(nodeId), expiresAt: new Date(String(expiresAt)) };
  }

  async revoke(nodeId: number, reason: string, { timeout, signal }: Patience): Promise<void> {
    await this.#request(METHODS.revoke, { node: nodeId, reason, timeout }, signal);
  }

  async leave({ timeout, signal }: Patience): Promise<void> {
    await this.#request(METHODS.leave, { timeout }, signal);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #request(method: string, params: JsonObject, signal?: AbortSignal): Promise<unknown> {
    if (this.#isLost) throw new HolderLost(false);
    try {
      return await this.#connection.request(method, params, { signal });
    } catch (error) {
      throw translated(error, true);
    }
  }

  async #readSteps(
    steps: AsyncGenerator<unknown, void, undefined>,
    { onProgress, onLateOutcome }: Pick<CallControl, 'onProgress' | 'onLateOutcome'>,
    settle: (outcome: Outcome) => void,
  ): Promise<void> {
    for await (const step of steps) {
      if (!isObject(step)) throw nonsense();
      const { progress, outcome, late } = step;
      if (isObject(progress))
        onProgress?.({ progress: numberOf(progress.progress), message: textOf(progress.message) });
      if (isObject(late)) onLateOutcome?.({ status: String(late.status), message: textOf(late.message) });
      if (outcome !== undefined) settle(unpackOutcome(outcome));
    }
    // After an outcome this changes nothing.
    throw nonsense();
  }

  #keepLate(stop: AbortController): void {
    this.#late.push(stop);
    if (this.#late.length > MAX_LATE) this.#late.shift()?.abort();
  }

  /** Keeps the picture like the holder's; resolves when all of it is here. */
  async #mirror(view: NetworkView): Promise<void> {
    const nodes = new Set<number>();
    let begun: () => void = () => undefined;
    let failed: (error: unknown) => void = () => undefined;
    const whole = new Promise<void>((resolve, reject) => {
      begun = resolve;
      failed = reject;
    });
    const read = async (): Promise<void> => {
      for await (const item of this.#connection.stream(METHODS.view)) {
        if (!isObject(item)) throw nonsense();
        const { node, nodeId, device, condition } = item;
        if (node !== undefined && node !== null) {
          const info = nodeInfoOf(node);
          nodes.add(info.nodeId);
          view.setNode(info);
        } else if (typeof nodeId === 'number') view.removeNode(nodeId);
        if (typeof device === 'number') {
          const { connected, unreachable, description } = item;
          view.setDevice({
            nodeId: device,
            connected: connected === true,
            unreachable: typeof unreachable === 'string' ? unreachable : undefined,
            description: description === undefined ? undefined : unpackDescription(description),
          });
        }
        if (isObject(condition))
          view.setCondition({
            nmn: condition.nmn === 'connected' ? 'connected' : 'away',
            presenceKnown: condition.presenceKnown === true,
          });
        if (item.begun === true) {
          // What an earlier holder knew and this one does not is gone.
          for (const known of [...view.nodes.keys()]) if (!nodes.has(known)) view.removeNode(known);
          begun();
        }
      }
      throw new HolderLost(false);
    };
    read().catch((error: unknown) => {
      failed(translated(error, false));
    });
    await whole;
  }
}

function requestToJson(request: CallRequest): JsonObject {
  const { kind, address } = request;
  switch (request.kind) {
    case 'command': {
      const { commandId, params, idempotent } = request;
      return { kind, ...address, id: commandId, params: packList(params), idempotent };
    }
    case 'ask':
      return { kind, ...address, id: request.infoRequestId, params: packList(request.params) };
    case 'read':
      return { kind, ...address, ...(request.attributes && { attributes: request.attributes }) };
  }
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const codeOf = (error: unknown): unknown => (isObject(error) ? error.code : undefined);

/** The error that the same call would have thrown in the program of the holder. */
function translated(error: unknown, sent: boolean): Error {
  const code = codeOf(error);
  if (code === 'CONNECTION_LOST') return new HolderLost(sent);
  if (code === 'HOLDER_LOST') return new HolderLost(false);
  if (!(error instanceof Error)) return new Error(String(error));
  if (error.name !== 'JsonLineError') return error;
  const status = isObject(error) ? error.status : undefined;
  if (typeof status === 'string' && isFailure(status as StatusCode))
    return new CommandError(status as FailureStatus, error.message, { answered: true, cause: error });
  if (CLIENT_ERROR_CODES.includes(code as ClientErrorCode))
    return new ClientError(code as ClientErrorCode, error.message, { cause: error });
  if (CLUSTER_ERROR_CODES.includes(code as ClusterErrorCode))
    return new ClusterError(code as ClusterErrorCode, error.message, { cause: error });
  return error;
}
