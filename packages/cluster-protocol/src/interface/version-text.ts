import { WIRE_VERSION } from '../wire/index.js';

/** Says for a person what a version refusal means, and who has to do what. */
export function versionText(peer: { readonly lowest: number; readonly highest: number }): string {
  const theirs =
    peer.lowest === peer.highest ? `version ${peer.lowest}` : `versions ${peer.lowest} to ${peer.highest}`;
  const older = peer.lowest > WIRE_VERSION ? 'this node' : 'the other one';
  return `it speaks ${theirs} of the cluster protocol, this node version ${WIRE_VERSION}: update ${older}`;
}
