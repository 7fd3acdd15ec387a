import type {
  AnyCapability,
  AttributeInputs,
  AttributeName,
  AttributeValues,
  Bounds,
  DeviceCapability,
} from '@coconet/capabilities';
import type { CommandContext } from './command-context.js';

/** Bounds of attributes by name. */
export type AttributeLimits<D extends AnyCapability> = { readonly [N in AttributeName<D>]?: Bounds };

/** A capability in the hands of the device that has it. */
export interface CapabilityHandle<D extends AnyCapability> extends DeviceCapability<D, CommandContext> {
  /** The value last set, without any reading of hardware; `null` = not known. */
  get<N extends AttributeName<D>>(attribute: N): AttributeValues<D>[N];
  /** Sends values of event attributes to whoever is connected, once: they are neither kept nor replayed. */
  publish(values: AttributeInputs<D>): void;
  /** States what this device can do where that is less than the definition allows. */
  limit(limits: AttributeLimits<D>): void;
  /** One of several equal capabilities of a resource, by its label. Throws `UNKNOWN_INSTANCE`. */
  instance(label: string): CapabilityHandle<D>;
}
