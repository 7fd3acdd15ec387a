import { UsageError } from './errors.js';

/** A resource of a device, or a device as a whole, as people write it. */
export interface ResourceAddress {
  /** Name of the device, or `#` and its node id. */
  readonly device: string;
  /** Absent: all resources of the device. */
  readonly resource: string | undefined;
}

/** What of a resource is meant. */
export interface Member {
  readonly capability: string;
  /** Attribute or command; absent: all attributes of the capability. */
  readonly name: string | undefined;
}

/** A resource and what of it is meant; no member: everything. */
export interface Address extends ResourceAddress {
  readonly member: Member | undefined;
}

/** How addresses look, for help and errors. */
export const ADDRESS_FORM = 'DEVICE/RESOURCE CAPABILITY.MEMBER, as in Desk/lamp onOff.on';

/** `Desk/lamp`, `#17/lamp` or `Desk`; cut at the first slash, because device names have none and resource ids may. */
export function parseResource(text: string): ResourceAddress {
  const slash = text.indexOf('/');
  const device = slash < 0 ? text : text.slice(0, slash);
  const resource = slash < 0 ? undefined : text.slice(slash + 1);
  if (device === '' || resource === '')
    throw new UsageError(
      `'${text}' is not an address: it reads DEVICE/RESOURCE, as in Desk/lamp or '#17/lamp'`,
    );
  if (device.startsWith('#') && !/^#[1-9]\d{0,9}$/.test(device))
    throw new UsageError(`'${device}' is not a node id: it reads # and a number, as in '#17'`);
  return { device, resource };
}

/** `onOff.on`, or `onOff` for all of a capability. */
export function parseMember(text: string): Member {
  const match = /^([A-Za-z]\w*)(?:\.([A-Za-z]\w*))?$/.exec(text);
  if (match?.[1] === undefined)
    throw new UsageError(
      `'${text}' names no member of a capability: it reads CAPABILITY.MEMBER, as in onOff.on`,
    );
  return { capability: match[1], name: match[2] };
}

/** The resource and member of a command that needs both, completely. */
export function parseExact(
  resource: string,
  member: string,
): {
  readonly device: string;
  readonly resource: string;
  readonly capability: string;
  readonly name: string;
} {
  const at = parseResource(resource);
  if (at.resource === undefined)
    throw new UsageError(
      `'${resource}' names a device but no resource: write ${resource}/RESOURCE`,
      'coconet ls lists the resources',
    );
  const { capability, name } = parseMember(member);
  if (name === undefined)
    throw new UsageError(
      `'${member}' names a capability but no member: write ${member}.MEMBER, as in onOff.on`,
      'coconet ls lists the members',
    );
  return { device: at.device, resource: at.resource, capability, name };
}

/** Resources, each followed by any number of members: `Desk/lamp onOff.on level.level Desk/fan`. */
export function parseAddresses(words: readonly string[]): readonly Address[] {
  const addresses: Address[] = [];
  let current: ResourceAddress | undefined;
  let members = 0;
  const finish = (): void => {
    if (current !== undefined && members === 0) addresses.push({ ...current, member: undefined });
  };
  for (const word of words) {
    // A word without a slash can only be a device where a member cannot stand: at the beginning, or with its #.
    if (current === undefined || word.includes('/') || word.startsWith('#')) {
      finish();
      current = parseResource(word);
      members = 0;
    } else {
      addresses.push({ ...current, member: parseMember(word) });
      members++;
    }
  }
  finish();
  return addresses;
}

/** `name=value` words by name; the value may be empty and may hold further equals signs. */
export function parseAssignments(words: readonly string[]): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const word of words) {
    const cut = word.indexOf('=');
    if (cut < 1)
      throw new UsageError(`'${word}' is no parameter: parameters read name=value, as in level=40`);
    const name = word.slice(0, cut);
    if (values.has(name)) throw new UsageError(`the parameter ${name} is given twice`);
    values.set(name, word.slice(cut + 1));
  }
  return Object.fromEntries(values);
}
