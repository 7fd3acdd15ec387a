/** Checked by the compiler alone: what must not compile is marked, and a mark that is not needed is an error. */
import { defineCapability, diagnostics, level, onOff, shape, t, telemetry } from '@coconet/capabilities';
import type {
  AnyCapability,
  AttributeName,
  AttributeValues,
  ByName,
  ClientView,
  CommandName,
  CommandParameters,
  CommandResponse,
  DeviceView,
  InfoResponse,
  WritableInputs,
  deviceInfo,
  networkConfiguration,
} from '@coconet/capabilities';

// The only way to compare types without one being assignable to the other: two functions generic in the same way.
/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */
type Assert<T extends true> = T;

interface Options {
  readonly timeout?: number;
}
interface Context {
  readonly sender: number;
}

declare function addResource<const L extends readonly AnyCapability[]>(
  id: string,
  list: L,
): DeviceView<L, Context>;
declare function resource<const L extends readonly AnyCapability[]>(
  address: string,
  list: L,
): Promise<ClientView<L, Options>>;

export type Checks = [
  Assert<Same<CommandName<typeof onOff>, 'turnOn' | 'turnOff' | 'toggle'>>,
  Assert<Same<AttributeName<typeof onOff>, 'on' | 'startupBehavior'>>,
  Assert<Same<AttributeValues<typeof onOff>['on'], boolean | null>>,
  Assert<
    Same<
      AttributeValues<typeof onOff>['startupBehavior'],
      'off' | 'on' | 'toggle' | 'previous' | 'unknown' | null
    >
  >,
  Assert<Same<keyof WritableInputs<typeof level>, 'defaultTransition' | 'startupLevel'>>,
  Assert<Same<AttributeValues<typeof deviceInfo>['uptime'], bigint | null>>,
  Assert<Same<AttributeValues<typeof networkConfiguration>['addresses'], readonly string[] | null>>,
  Assert<Same<CommandResponse<typeof telemetry, 'subscribe'>['subscriptionId'], string>>,
  Assert<Same<CommandResponse<typeof diagnostics, 'ping'>['rtt'], readonly number[]>>,
  Assert<Same<ByName<readonly [typeof onOff, typeof level]>['level'], typeof level>>,
  Assert<Same<InfoResponse<typeof telemetry, 'history'>['points'][number]['time'], number>>,
];

export const parameters: CommandParameters<typeof level, 'setLevel'> = { level: 40, transition: 300 };
export const move: CommandParameters<typeof level, 'move'> = { direction: 'up' };

// @ts-expect-error -- a mandatory parameter is missing
export const noLevel: CommandParameters<typeof level, 'setLevel'> = { transition: 300 };
// @ts-expect-error -- no such parameter
export const noSuch: CommandParameters<typeof level, 'setLevel'> = { level: 1, transitions: 1 };
// @ts-expect-error -- no such direction
export const sideways: CommandParameters<typeof level, 'move'> = { direction: 'sideways' };
// @ts-expect-error -- an optional parameter is left out, not undefined
export const undefinedDuration: CommandParameters<typeof onOff, 'turnOn'> = { duration: undefined };
// @ts-expect-error -- a resource has the capabilities of its list, no others
export type NoDeviceSide = DeviceView<readonly [typeof onOff], Context>['telemetry'];
// @ts-expect-error -- a resource has the capabilities of its list, no others
export type NoClientSide = ClientView<readonly [typeof onOff], Options>['level'];
// @ts-expect-error -- no such command
export type NoCommand = CommandParameters<typeof onOff, 'explode'>;

export function device(): void {
  const lamp = addResource('lamp', [onOff, level]);
  lamp.onOff.set({ on: true });
  lamp.onOff.set({ on: null });
  lamp.onOff.handle({
    turnOn: ({ duration }, context) => {
      lamp.onOff.set({ on: (duration ?? 1) > 0 && context.sender > 0 });
    },
    turnOff: () => lamp.onOff.set({ on: false }),
    write: ({ startupBehavior }) => {
      startupBehavior satisfies 'off' | 'on' | 'toggle' | 'previous' | null | undefined;
    },
  });
  const board = addResource('board', [diagnostics, telemetry]);
  board.telemetry.handle({ subscribe: ({ channels }) => ({ subscriptionId: channels.join() }) });
  board.diagnostics.answer({ report: ({ sections }) => ({ report: [...(sections ?? [])] }) });
  board.diagnostics.set({ faults: [{ code: 'E1', component: 'fan', since: 0 }] });

  // @ts-expect-error -- of another type
  lamp.onOff.set({ on: 'yes' });
  // @ts-expect-error -- 'unknown' is for reading only
  lamp.onOff.set({ startupBehavior: 'unknown' });
  // @ts-expect-error -- no such attribute
  lamp.onOff.set({ onn: true });
  // @ts-expect-error -- no such command
  lamp.onOff.handle({ explode: () => undefined });
  // @ts-expect-error -- the response is missing
  board.telemetry.handle({ subscribe: () => undefined });
  // @ts-expect-error -- json of another shape
  board.diagnostics.set({ faults: [{ code: 1 }] });
}

export async function app(): Promise<void> {
  const lamp = await resource('Desk/lamp', [onOff, level]);
  await lamp.onOff.turnOn();
  await lamp.onOff.turnOn({ duration: 5_000 }, { timeout: 2_000 });
  await lamp.level.setLevel({ level: 40 });
  await lamp.level.write({ startupLevel: null });
  for await (const { on, fresh, at } of lamp.onOff.watch()) {
    on satisfies boolean | null;
    fresh satisfies boolean;
    at satisfies Date | null;
  }

  // @ts-expect-error -- parameters with a mandatory one cannot be left out
  await lamp.level.setLevel();
  // @ts-expect-error -- not writable
  await lamp.onOff.write({ on: true });
  // @ts-expect-error -- of another type
  await lamp.level.setLevel({ level: '40' });
}

const any: readonly AnyCapability[] = [onOff, level, diagnostics, telemetry];

export const vendor = defineCapability({
  id: 'com.acme.kettle',
  name: 'kettle',
  title: 'Kettle',
  revision: any.length,
  tier: 'vendor',
  attributes: {
    program: {
      id: 1,
      type: t.json(shape.record({ name: shape.text(), steps: shape.optional(shape.list(shape.integer())) })),
    },
  },
});

export type VendorCheck = Assert<
  Same<NonNullable<AttributeValues<typeof vendor>['program']>['steps'], readonly number[] | undefined>
>;
