import type {
  DescriptionMessage,
  DeviceDescription,
  ResourceDescription,
  StateVersion,
} from '@coconet/capabilities';
import { type Duration, milliseconds, sameBytes, seconds } from '@coconet/cluster-protocol';

/** Resources of one device that an app keeps: above what a device may have, far below what would hurt. */
const MAX_RESOURCES = 8_192;
/** A device that refused is asked again after this, then after twice as long, up to the longest. */
const FIRST_REPEAT: Duration = seconds(1);
const LONGEST_REPEAT: Duration = seconds(60);

/** What a device is, at one version of its state. */
export interface Description extends StateVersion {
  readonly device: DeviceDescription;
  readonly resources: ReadonlyMap<string, ResourceDescription>;
}

/** What became of one message. `gap`: what it builds on is not here, so everything has to be asked for anew. */
export type Described =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'described'; readonly description: Description }
  | { readonly kind: 'gap' };

/** Puts the parts of descriptions of one device together; nothing is shown before a description is whole. */
export class DescriptionReader {
  #held: Description | undefined;
  #parts: DescriptionMessage[] = [];
  #asked: number | undefined;
  #refusals = 0;

  /** The last whole description. */
  get held(): Description | undefined {
    return this.#held;
  }

  /** The device was asked to describe itself. */
  handleAsked(requestId: number): void {
    this.#asked = requestId;
  }

  /**
   * The device refused a request. `undefined`: not one for a description; otherwise how long to wait before it is asked
   * again: whoever has just joined may be nobody yet to a device that has not heard of it, and rights change.
   */
  handleRefusal(requestId: number): Duration | undefined {
    if (this.#asked !== requestId) return undefined;
    this.#asked = undefined;
    this.#refusals += 1;
    return milliseconds(Math.min(FIRST_REPEAT * 2 ** (this.#refusals - 1), LONGEST_REPEAT));
  }

  /** One message of the device. */
  handleDescription(message: DescriptionMessage): Described {
    const [first] = this.#parts;
    // Parts of two descriptions never mix: the newer one begins anew.
    if (first && !isSameVersion(first, message)) this.#parts = [];
    this.#parts.push(message);
    const count = this.#parts.reduce((sum, { resources }) => sum + resources.length, 0);
    if (count > MAX_RESOURCES) {
      this.#parts = [];
      return { kind: 'incomplete' };
    }
    if (!message.last) return { kind: 'incomplete' };
    const parts = this.#parts;
    this.#parts = [];
    return this.#take(parts);
  }

  /** The session ended: parts that are missing will not come any more. */
  handleSessionEnd(): void {
    this.#parts = [];
    this.#asked = undefined;
    this.#refusals = 0;
  }

  #take(parts: readonly DescriptionMessage[]): Described {
    const { full, removed, stateIncarnation, version, device } = parts[0]!;
    const held = this.#held;
    if (!full && (!held || !sameBytes(held.stateIncarnation, stateIncarnation))) return { kind: 'gap' };
    const resources = new Map(full ? [] : held!.resources);
    for (const id of removed) resources.delete(id);
    for (const part of parts)
      for (const resource of part.resources) resources.set(resource.resourceId, resource);
    if (resources.size > MAX_RESOURCES) return { kind: 'incomplete' };
    this.#held = { stateIncarnation, version, device, resources };
    this.#refusals = 0;
    return { kind: 'described', description: this.#held };
  }
}

const isSameVersion = (a: DescriptionMessage, b: DescriptionMessage): boolean =>
  a.version === b.version && sameBytes(a.stateIncarnation, b.stateIncarnation);
