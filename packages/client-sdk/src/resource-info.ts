import type {
  AnyCapability,
  CapabilityDescription,
  CapabilityRegistry,
  ResourceDescription,
} from '@coconet/capabilities';
import { IMPLICIT_COMMANDS } from '@coconet/capabilities';
import type { NetworkView } from './network-view.js';
import type { CapabilityInfo, ResourceInfo } from './resource.js';

/** `Desk/lamp`; `#17/lamp` where the device has no name or shares it with another one. */
export function addressOf(view: NetworkView, nodeId: number, resourceId: string): string {
  const name = view.nodes.get(nodeId)?.name ?? '';
  let devices = 0;
  for (const node of view.nodes.values()) if (node.kind === 'device' && node.name === name) devices++;
  return `${name === '' || devices > 1 ? `#${nodeId}` : name}/${resourceId}`;
}

/** A resource as it is known now. */
export function resourceInfoOf(
  view: NetworkView,
  registry: CapabilityRegistry,
  nodeId: number,
  description: ResourceDescription,
): ResourceInfo {
  const { resourceId, name, manufacturer, model, firmwareVersion, metadata, capabilities } = description;
  return {
    address: addressOf(view, nodeId, resourceId),
    nodeId,
    device: view.nodes.get(nodeId)?.name ?? '',
    resourceId,
    name,
    manufacturer,
    model,
    firmwareVersion,
    metadata,
    online: view.devices.get(nodeId)?.connected ?? false,
    capabilities: capabilities.map(each => capabilityInfoOf(registry.byId(each.capabilityId), each)),
  };
}

/** A capability of a resource as it is known now. */
export function capabilityInfoOf(
  definition: AnyCapability | undefined,
  description: CapabilityDescription,
): CapabilityInfo {
  const { capabilityId, instance, revision, attributes, commands, infoRequests = [] } = description;
  const own = commands.filter(id => !IMPLICIT_IDS.includes(id));
  const known = attributes.flatMap(id => definition?.attributesById.get(id) ?? []);
  return {
    id: capabilityId,
    name: definition?.name ?? String(capabilityId),
    known: definition !== undefined,
    instance,
    revision,
    attributes: attributes.map(id => definition?.attributesById.get(id)?.name ?? `#${id}`),
    writable: commands.includes(IMPLICIT_COMMANDS.write)
      ? known.filter(({ writable }) => writable).map(({ name }) => name)
      : [],
    commands: own.map(id => definition?.commandsById.get(id)?.name ?? `#${id}`),
    infoRequests: infoRequests.map(id => definition?.infoRequestsById.get(id)?.name ?? `#${id}`),
    refresh: commands.includes(IMPLICIT_COMMANDS.refresh),
  };
}

const IMPLICIT_IDS: readonly number[] = Object.values(IMPLICIT_COMMANDS);
