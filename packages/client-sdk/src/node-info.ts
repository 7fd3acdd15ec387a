import type { NodeReport, PathReport, PeerExplanation } from '@coconet/cluster-protocol';
import type { NodeExplanation, NodeInfo, NodePath } from './network.js';

const nodePathOf = ({ path, scope, remote, rtt }: PathReport): NodePath => ({
  path,
  scope,
  remote: remote.key,
  rtt: rtt ?? null,
});

/** A member as apps see it. */
export const nodeInfoOf = ({
  nodeId,
  name,
  kind,
  role,
  user,
  self,
  online,
  lastSeen,
  path,
}: NodeReport): NodeInfo => ({
  nodeId,
  name,
  kind,
  role,
  user,
  self,
  online,
  lastSeen: lastSeen > 0 ? new Date(lastSeen) : null,
  path: path ? nodePathOf(path) : null,
});

/** Why the path to a member is what it is, as apps see it. */
export const explanationOf = (explanation: PeerExplanation): NodeExplanation => ({
  nodeId: explanation.nodeId,
  name: explanation.name,
  path: explanation.path ?? null,
  scope: explanation.scope ?? null,
  sentence: explanation.sentence,
  rtt: explanation.rtt ?? null,
  tried: explanation.candidates.map(({ address, ...rest }) => ({ address: address.key, ...rest })),
  nextTry: explanation.nextTry ?? null,
  sentBytes: explanation.sentBytes,
  receivedBytes: explanation.receivedBytes,
  sentPackets: explanation.sentPackets,
  lostPackets: explanation.lostPackets,
  doubledPackets: explanation.doubledPackets,
  shapedBytes: explanation.shaping?.droppedBytes ?? 0,
  waitingMessages: explanation.waitingMessages,
  mtu: explanation.mtu,
  nmn: explanation.nmn,
  seenAs: explanation.seenAs.map(({ key }) => key),
});
