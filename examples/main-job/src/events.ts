/** A value of an attribute, as it is shown. */
export interface ShownValue {
  /** `Computer/system` */
  readonly address: string;
  readonly capability: string;
  readonly attribute: string;
  /** As JSON has it: 64-bit integers are decimal texts. */
  readonly value: unknown;
  readonly unit: string | undefined;
}

/** How data travels between the app and the device. */
export interface ShownPath {
  readonly path: 'direct' | 'peerRelay' | 'relay' | null;
  readonly scope: 'host' | 'lan' | 'internet' | null;
  /** Round-trip time in ms; `null`: not measured yet. */
  readonly rttMs: number | null;
  /** One sentence. */
  readonly why: string;
}

/** A command that the app sent, and what came of it. */
export interface CommandOutcome {
  /** As the tool writes it: `Computer/beacon onOff.toggle`. */
  readonly line: string;
  /** From the call to the device's answer, in ms. */
  readonly rttMs: number;
  /** Over which path. */
  readonly path: ShownPath['path'];
  /** Why it failed; absent: the device did it. */
  readonly failure?: string;
}

/** What the client process tells its parent, one JSON object a line. */
export type ClientEvent =
  | { readonly event: 'client'; readonly nodeId: number; readonly network: string }
  | { readonly event: 'presence'; readonly online: boolean }
  | { readonly event: 'values'; readonly values: readonly ShownValue[] }
  | ({ readonly event: 'path' } & ShownPath)
  | ({ readonly event: 'command' } & CommandOutcome);

/** What a child of either kind tells besides. */
export type CommonEvent =
  | { readonly event: 'notice'; readonly text: string }
  | { readonly event: 'failed'; readonly code: string; readonly text: string };

/** What the host monitor tells: see its README. */
export type MonitorEvent =
  | { readonly event: 'ready'; readonly name: string; readonly nodeId: number; readonly network: string }
  | { readonly event: 'beacon'; readonly on: boolean; readonly identifying: boolean }
  | { readonly event: 'measured'; readonly attributes: number };

/** Whatever a child tells. */
export type ChildEvent = ClientEvent | CommonEvent | MonitorEvent;

/** How a run ended: the last line of `--once`. */
export type DoneEvent =
  | {
      readonly event: 'done';
      readonly ok: true;
      readonly path: 'direct';
      readonly commandRttMs: number;
      readonly attributes: number;
    }
  | { readonly event: 'done'; readonly ok: false; readonly reason: string };

/** Everything that happens in the main job: what `--json` prints. */
export type JobEvent =
  | { readonly event: 'nmn'; readonly port: number; readonly network: string; readonly folder: string }
  | { readonly event: 'device'; readonly name: string; readonly nodeId: number }
  | Exclude<ChildEvent, { readonly event: 'ready' | 'failed' }>
  | { readonly event: 'process'; readonly process: string; readonly pid: number }
  /** A process ended that should not have; it is started again. */
  | { readonly event: 'restart'; readonly process: string; readonly why: string }
  /** Something to type in another terminal. */
  | { readonly event: 'try'; readonly line: string; readonly says: string }
  | DoneEvent;

const NAMES: readonly string[] = [
  'client',
  'presence',
  'values',
  'path',
  'command',
  'notice',
  'failed',
  'ready',
  'beacon',
  'measured',
] satisfies readonly ChildEvent['event'][];

/** Reads a line of a child; `undefined`: it is none of ours, e.g. a warning of Node. */
export function parseChildEvent(line: string): ChildEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('event' in value)) return undefined;
  // Both ends are built from this file; only what else a process may print has to be kept apart.
  return typeof value.event === 'string' && NAMES.includes(value.event) ? (value as ChildEvent) : undefined;
}
