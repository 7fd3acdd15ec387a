import type { ReadMessage, ValuesMessage } from '@coconet/capabilities';
import type { MemberReport } from '@coconet/cluster-protocol';
import { permits } from './access.js';
import { locate } from './command-verdict.js';
import type { DeviceTree } from './device-tree.js';

/** The values that a peer asks for, as they are now: `realtime` where this process has read them itself. */
export function answerRead(tree: DeviceTree, member: MemberReport, message: ReadMessage): ValuesMessage {
  const { requestId, attributes } = message;
  const refused = (code: ValuesMessage['code']): ValuesMessage => ({
    type: 'values',
    requestId,
    code,
    entries: [],
  });
  const place = locate(tree, member, message);
  if (!place.ok) return refused(place.outcome.code);
  const { cells } = place.capability;
  if (attributes?.some(id => !cells.has(id)) === true) return refused('invalid');
  const wanted = [...cells.values()].filter(
    ({ attribute }) =>
      attribute.delivery === 'state' &&
      permits(member.role, attribute.minimumRole) &&
      attributes?.includes(attribute.id) !== false,
  );
  return { type: 'values', requestId, code: 'success', entries: wanted.map(cell => cell.entry(cell.fresh)) };
}
