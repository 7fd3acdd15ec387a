import type { DataType, ValueOf } from './data-type.js';
import type { Role } from './role.js';

/** `state` is kept, cached and replayed; `event` goes once to whoever is connected and is never kept. */
export type Delivery = 'state' | 'event';

/** An attribute as it is written in a definition. Everything but `id` and `type` has a default. */
export interface AttributeSpec {
  /** Wire id, 1–65535, never reused within the capability. */
  readonly id: number;
  readonly type: DataType;
  /** One sentence for people. */
  readonly description?: string;
  /** Other nodes may ask for a change with the implicit command `write`. Default: no. */
  readonly writable?: boolean;
  /** Value and time of reading survive a restart of the device and are then replayed as stale. Default: no. */
  readonly persist?: boolean;
  /** Changes ignore the minimum interval and raise a notification. Default: no. */
  readonly alarm?: boolean;
  /** Default: `state`. */
  readonly delivery?: Delivery;
  /** High-rate data: neither cached nor seen by rules and notifications. Only of an event. Default: no. */
  readonly publishOnly?: boolean;
  /** Two reports are never closer than this, in ms. Default: 0, no minimum. */
  readonly minReportInterval?: number;
  /** A report is sent at least this often, in ms. Default: 0, never without a change. */
  readonly maxReportInterval?: number;
  /** Smallest change worth a report, in the attribute's unit. Numbers only. Default: any change. */
  readonly reportableChange?: number;
  /** Who may see it at all. Default: `guest`, everybody with a right on the capability. */
  readonly minimumRole?: Role;
  /** Value before the first reading. Default: `null`, not known. */
  readonly default?: unknown;
}

/** An attribute of a checked definition: every field is there. */
export interface AttributeDefinition<T extends DataType = DataType, W extends boolean = boolean> {
  readonly id: number;
  readonly name: string;
  readonly type: T;
  readonly description: string | undefined;
  readonly writable: W;
  readonly persist: boolean;
  readonly alarm: boolean;
  readonly delivery: Delivery;
  readonly publishOnly: boolean;
  /** ms; 0 = none. */
  readonly minReportInterval: number;
  /** ms; 0 = never without a change. */
  readonly maxReportInterval: number;
  readonly reportableChange: number | undefined;
  readonly minimumRole: Role;
  readonly default: ValueOf<T> | null;
}
