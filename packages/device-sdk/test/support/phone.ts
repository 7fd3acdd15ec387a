import { decodeMessage, encodeMessage, encodeParameters, encodeWrite } from '@coconet/capabilities';
import type {
  AnyCapability,
  CapabilityMessage,
  CommandMessage,
  DeviceMessage,
  StatusMessage,
  WireValue,
} from '@coconet/capabilities';
import { ClusterNode, fromHex, milliseconds, SERVICES } from '@coconet/cluster-protocol';
import type { ClusterEvent, SavedNode } from '@coconet/cluster-protocol';
import type { SimulatedHost } from '@coconet/cluster-protocol/testing';

type Of<T extends DeviceMessage['type']> = Extract<DeviceMessage, { type: T }>;

/** A command that was sent. */
export interface Sent {
  readonly sequence: number;
  readonly incarnation: Uint8Array;
}

/** An app without its SDK: a raw cluster node that speaks the capability protocol. */
export class Phone {
  readonly node: ClusterNode;
  readonly host: SimulatedHost;
  readonly events: ClusterEvent[] = [];
  readonly messages: DeviceMessage[] = [];
  readonly incarnation: Uint8Array;
  readonly device: number;
  readonly #running: { turn(): void };

  constructor(host: SimulatedHost, saved: SavedNode, port: number, device: number) {
    this.host = host;
    this.device = device;
    this.incarnation = saved.outboxIncarnation;
    this.node = new ClusterNode({
      provider: host.crypto,
      random: host.random,
      now: host.now(),
      wall: host.wallTime(),
      saved,
      nmnAddresses: [],
      allowDocumentationAddresses: true,
    });
    this.#running = host.attach(this.node, { port }, event => {
      this.events.push(event);
      if (event.kind !== 'message' || event.service !== SERVICES.capability) return;
      const message = decodeMessage(event.bytes);
      if (!message.ok) throw new Error(`the device sent something malformed: ${message.reason}`);
      this.messages.push(message.value as DeviceMessage);
    });
  }

  connect(): void {
    this.node.connect(this.host.now(), this.device);
    this.#running.turn();
  }

  /** Says goodbye. */
  leave(): void {
    this.node.disconnect(this.host.now(), this.device);
    this.#running.turn();
  }

  send(message: CapabilityMessage, expiresInMs?: number): number {
    return this.sendBytes(encodeMessage(message), expiresInMs);
  }

  sendBytes(bytes: Uint8Array, expiresInMs?: number): number {
    const sequence = this.node.send(this.host.now(), this.device, SERVICES.capability, bytes, {
      ...(expiresInMs !== undefined && { expiresIn: milliseconds(expiresInMs) }),
    });
    this.#running.turn();
    return sequence;
  }

  /** Sends a command as its definition says. */
  call(
    resourceId: string,
    capability: AnyCapability,
    command: string,
    params: Readonly<Record<string, unknown>> = {},
    options: Partial<CommandMessage> = {},
  ): Sent {
    const definition = capability.commands[command]!;
    const wire = encodeParameters<AnyCapability, string>(capability, command, params);
    return this.command(resourceId, capability, definition.id, wire, options);
  }

  write(resourceId: string, capability: AnyCapability, values: Readonly<Record<string, unknown>>): Sent {
    return this.command(resourceId, capability, 1, encodeWrite<AnyCapability>(capability, values));
  }

  /** Sends a command as it is. */
  command(
    resourceId: string,
    capability: { readonly id: AnyCapability['id'] },
    commandId: number,
    params: readonly WireValue[] = [],
    options: Partial<CommandMessage> = {},
  ): Sent {
    const sequence = this.send({
      type: 'command',
      resourceId,
      capabilityId: capability.id,
      commandId,
      timeoutMs: 5_000,
      params,
      ...options,
    });
    return { sequence, incarnation: this.incarnation };
  }

  subscribe(subscriptionId = 1, resume?: { stateIncarnation: Uint8Array; version: number }): number {
    return this.send({
      type: 'subscribe',
      subscriptionId,
      filter: {},
      ...(resume !== undefined && { resume }),
    });
  }

  all<T extends DeviceMessage['type']>(type: T): Of<T>[] {
    return this.messages.filter((message): message is Of<T> => message.type === type);
  }

  last<T extends DeviceMessage['type']>(type: T): Of<T> | undefined {
    return this.all(type).at(-1);
  }

  /** Terminal statuses of a command. */
  ends({ sequence, incarnation }: Sent): readonly StatusMessage[] {
    const name = incarnation.join();
    return this.all('status').filter(
      status =>
        status.sequence === sequence && status.incarnation.join() === name && status.code !== 'inProgress',
    );
  }

  /** Values of one attribute in the order they came. */
  valuesOf(resourceId: string, attributeId: number): readonly WireValue[] {
    return this.all('report').flatMap(({ entries }) =>
      entries
        .filter(entry => entry.resourceId === resourceId && entry.attributeId === attributeId)
        .map(({ value }) => value),
    );
  }

  connections(): number {
    return this.events.filter(({ kind }) => kind === 'connected').length;
  }
}

/** Eight bytes that nobody has. */
export const nobody: Uint8Array = fromHex('00112233aabbccdd')!;
