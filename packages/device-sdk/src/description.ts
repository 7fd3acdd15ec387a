import { IMPLICIT_COMMANDS } from '@coconet/capabilities';
import type {
  AttributeBounds,
  CapabilityDescription,
  DeviceDescription,
  PowerSource,
  ResourceDescription,
} from '@coconet/capabilities';
import { permits } from './access.js';
import type { PeerRole } from './access.js';
import type { AttachedCapability } from './attached-capability.js';
import { describeDetails } from './resource.js';
import type { Resource } from './resource.js';

/** What is known of a device besides what it can do. */
export interface DeviceDetails {
  readonly productName?: string | undefined;
  readonly manufacturer?: string | undefined;
  readonly model?: string | undefined;
  readonly firmwareVersion?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly powerSource?: PowerSource | undefined;
}

/** What peers are told of the device itself. */
export function describeDevice(name: string, details: DeviceDetails): DeviceDescription {
  const { productName, manufacturer, model, firmwareVersion, serialNumber, powerSource } = details;
  return {
    name,
    ...(productName !== undefined && { productName }),
    ...(manufacturer !== undefined && { manufacturer }),
    ...(model !== undefined && { model }),
    ...(firmwareVersion !== undefined && { firmwareVersion }),
    ...(serialNumber !== undefined && { serialNumber }),
    ...(powerSource !== undefined && { powerSource }),
    protocols: ['ip'],
    extendable: true,
  };
}

/** What a peer of that role is told of a resource: what it may not use is not there. */
export const describeResource = (resource: Resource, role: PeerRole): ResourceDescription => ({
  ...describeDetails(resource),
  capabilities: resource.capabilities.map(capability => describeCapability(capability, role)),
});

function describeCapability(capability: AttachedCapability, role: PeerRole): CapabilityDescription {
  const { definition, address, cells, answers } = capability;
  const visible = [...cells.values()].filter(({ attribute }) => permits(role, attribute.minimumRole));
  const infoRequests = [...answers.keys()].filter(id =>
    permits(role, definition.infoRequestsById.get(id)!.minimumRole),
  );
  const bounds = visible.flatMap(({ attribute, bounds: own }): AttributeBounds[] =>
    own === undefined ? [] : [{ attributeId: attribute.id, ...own }],
  );
  return {
    capabilityId: definition.id,
    ...(address.instance !== undefined && { instance: address.instance }),
    revision: definition.revision,
    commands: [...supportedCommands(capability, role)].sort((a, b) => a - b),
    attributes: visible.map(({ attribute }) => attribute.id),
    ...(infoRequests.length > 0 && { infoRequests }),
    ...(bounds.length > 0 && { bounds }),
  };
}

/** Ids of the commands that a peer of that role may send: those with handlers, and the implicit ones that make sense. */
export function supportedCommands(capability: AttachedCapability, role: PeerRole): readonly number[] {
  const { definition, handlers, refreshHandler, cells } = capability;
  const ids = [...handlers.keys()].filter(id => permits(role, definition.commandsById.get(id)!.minimumRole));
  if (refreshHandler !== undefined) ids.push(IMPLICIT_COMMANDS.refresh);
  const writable = [...cells.values()].some(
    ({ attribute }) => attribute.writable && permits(role, attribute.minimumRole),
  );
  if (writable) ids.push(IMPLICIT_COMMANDS.write);
  return ids;
}
