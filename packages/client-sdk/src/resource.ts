import type {
  AnyCapability,
  AttributeName,
  CapabilityId,
  CommandCalls,
  InfoRequestCalls,
  Reading,
  WritableInputs,
} from '@coconet/capabilities';
import type { WaitOptions } from './network.js';

/** Options of whatever is asked of a device. Default timeout 10 s. */
export interface CallOptions extends WaitOptions {
  /** Called with each `inProgress` of the device. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Called once if the command ended with `OUTCOME_UNKNOWN` and the device tells the truth later, within ten minutes.
   */
  readonly onLateOutcome?: ((outcome: LateOutcome) => void) | undefined;
}

/** How far a command is. */
export interface Progress {
  /** % */
  readonly progress: number | undefined;
  readonly message: string | undefined;
}

/** What became of a command whose outcome was unknown. */
export interface LateOutcome {
  readonly status: string;
  readonly message: string | undefined;
}

/** Options of `read`. */
export interface ReadOptions extends WaitOptions {
  /** The device reads its hardware first. Default: it answers with what it has. */
  readonly fresh?: boolean | undefined;
}

/** Options of `watch`. */
export interface WatchOptions {
  /** Ends the loop without an error. */
  readonly signal?: AbortSignal | undefined;
  /** ms between two reports of an attribute at least. Default: the attribute's own. */
  readonly minInterval?: number | undefined;
  /** A report comes at least this often, in ms; 0: never without a change. Default: the attribute's own. */
  readonly maxInterval?: number | undefined;
}

/** Options of {@link Resource.watch}. */
export interface ResourceWatchOptions extends WatchOptions {
  /** Names of the capabilities wanted. Default: all. */
  readonly capabilities?: readonly string[] | undefined;
}

/** One capability of a resource: which of its members are there. */
export interface CapabilityInfo {
  readonly id: CapabilityId;
  /** The id as text where this program does not know the capability. */
  readonly name: string;
  /** This program knows its definition, and can use it. */
  readonly known: boolean;
  readonly instance: string | undefined;
  readonly revision: number;
  /** Names; `#7` for members that this program does not know. */
  readonly attributes: readonly string[];
  readonly writable: readonly string[];
  /** Without the implicit ones. */
  readonly commands: readonly string[];
  readonly infoRequests: readonly string[];
  /** It has the implicit command `refresh`. */
  readonly refresh: boolean;
}

/** What is known of a resource. */
export interface ResourceInfo {
  /** `Desk/lamp`; `#17/lamp` where the device's name would be ambiguous. */
  readonly address: string;
  readonly nodeId: number;
  /** Name of its device. */
  readonly device: string;
  readonly resourceId: string;
  readonly name: string | undefined;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly firmwareVersion: string | undefined;
  readonly metadata: string | undefined;
  /** There is a session with its device. */
  readonly online: boolean;
  readonly capabilities: readonly CapabilityInfo[];
}

/** One value of an attribute, as a device told it. */
export interface AttributeReport {
  /** Of the resource. */
  readonly address: string;
  readonly nodeId: number;
  readonly resourceId: string;
  readonly capability: string;
  readonly instance: string | undefined;
  readonly attribute: string;
  /** Typed as the definition says, `null` = not known; of an unknown attribute as the wire has it. */
  readonly value: unknown;
  /** The device read it just now; `false`: an older value is replayed. */
  readonly fresh: boolean;
  /** Time of the reading on the device; `null`: never. */
  readonly at: Date | null;
  /** It is part of the picture at the beginning, and no change. */
  readonly snapshot: boolean;
}

/** A resource in the hands of an app. */
export interface Resource {
  /** As it is now. */
  readonly info: ResourceInfo;
  /**
   * One of its capabilities; `instance` where it has several of the kind.
   *
   * @throws {ClientError} `CAPABILITY_MISSING` with what there is, `INSTANCE_NEEDED`.
   */
  capability<D extends AnyCapability>(definition: D, instance?: string): CapabilityHandle<D>;
  /** The same by name, checked at run time. */
  capability(name: string, instance?: string): GenericCapability;
  /**
   * The values of all its capabilities, then each change; what a device reports together comes together. Goes on after
   * a reconnect with what has changed. A slow reader gets the newest values only.
   */
  watch(options?: ResourceWatchOptions): AsyncIterable<readonly AttributeReport[]>;
}

/** A resource with capabilities as properties: `lamp.onOff.turnOn()`. */
export type TypedResource<L extends readonly AnyCapability[]> = Resource & {
  readonly [D in L[number] as D['name']]: CapabilityHandle<D>;
};

/** A capability in the hands of an app: its commands are methods. */
export type CapabilityHandle<D extends AnyCapability> = CommandCalls<D, CallOptions> & {
  /** The values as the device has them now. @throws {CommandError} `DEVICE_UNREACHABLE`, `TIMEOUT`, … */
  read(options?: ReadOptions): Promise<Reading<D>>;
  /** The picture now, then each change; goes on after a reconnect. A slow reader gets the newest picture only. */
  watch(options?: WatchOptions): AsyncIterable<Reading<D>>;
  /** Changes writable attributes, all or none. @throws {CommandError} as a command. */
  write(values: WritableInputs<D>, options?: CallOptions): Promise<void>;
  /** The device reads its hardware again. @throws {CommandError} as a command. */
  refresh(attributes?: readonly AttributeName<D>[], options?: CallOptions): Promise<void>;
  /** Asks for data that is no attribute. */
  readonly ask: InfoRequestCalls<D, CallOptions>;
};

/** Names and values that are known at run time only. */
export type Loose = Readonly<Record<string, unknown>>;

/** A capability that is used by name: everything is checked at run time. */
export interface GenericCapability {
  readonly definition: AnyCapability;
  readonly info: CapabilityInfo;
  /** Runs a command. @throws {CapabilityError} for wrong names and values. @throws {CommandError} for its outcome. */
  call(command: string, parameters?: Loose, options?: CallOptions): Promise<Loose>;
  /** Asks for data that is no attribute. */
  ask(infoRequest: string, parameters?: Loose, options?: CallOptions): Promise<Loose>;
  read(options?: ReadOptions): Promise<Reading<AnyCapability>>;
  watch(options?: WatchOptions): AsyncIterable<Reading<AnyCapability>>;
  write(values: Loose, options?: CallOptions): Promise<void>;
  refresh(attributes?: readonly string[], options?: CallOptions): Promise<void>;
}
