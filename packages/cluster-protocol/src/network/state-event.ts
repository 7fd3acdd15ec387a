import { sameBytes } from '../base/index.js';
import type { RecordKind, RevocationContent, StateRecord } from './record.js';
import { namesOf } from './revoked-nodes.js';
import type { StateView } from './state-view.js';
import type { StateVersion } from './state-version.js';

/** What changed in the meaning of the network's state. */
export type StateEvent =
  /** Cut every session with this node, by any of its names. */
  | {
      readonly kind: 'revoked';
      readonly nodeId: number;
      readonly signingKey: Uint8Array;
      readonly staticKey: Uint8Array;
    }
  | { readonly kind: 'reinstated'; readonly nodeId: number }
  /** A member came, went, or has another name, role or credential. */
  | { readonly kind: 'memberChanged'; readonly nodeId: number }
  | { readonly kind: 'epochChanged'; readonly epoch: number }
  | { readonly kind: 'settingChanged'; readonly name: string }
  | { readonly kind: 'authorityRetired'; readonly number: number }
  | { readonly kind: 'headChanged'; readonly order: StateVersion }
  /** Two different records claim the same place, or two keys the same node id: somebody signs what it must not. */
  | {
      readonly kind: 'conflict';
      readonly about: RecordKind | 'head';
      readonly nodeId?: number;
      readonly order: StateVersion;
    };

/** The event that tells of a record which claims another one's place. */
export function conflictAbout({ content, order }: StateRecord): StateEvent {
  const nodeId =
    content.kind === 'member'
      ? content.credential.leaf.nodeId
      : content.kind === 'revocation'
        ? content.nodeId
        : undefined;
  return { kind: 'conflict', about: content.kind, order, ...(nodeId !== undefined && { nodeId }) };
}

/** What one view means that another did not. */
export function differences(before: StateView, after: StateView): readonly StateEvent[] {
  const events: StateEvent[] = [];
  const nameOf = (revocation: RevocationContent): string => namesOf({ ...revocation, serial: 0 }).join();
  const revokedBefore = new Set(before.revoked.all.map(nameOf));
  for (const revocation of after.revoked.all) {
    const { nodeId, signingKey, staticKey } = revocation;
    if (!revokedBefore.has(nameOf(revocation)))
      events.push({ kind: 'revoked', nodeId, signingKey, staticKey });
  }
  for (const revocation of before.revoked.all)
    if (!after.revoked.has({ ...revocation, serial: 0 }))
      events.push({ kind: 'reinstated', nodeId: revocation.nodeId });
  for (const nodeId of new Set([...before.members.keys(), ...after.members.keys()]))
    if (before.members.get(nodeId) !== after.members.get(nodeId))
      events.push({ kind: 'memberChanged', nodeId });
  if (before.epoch !== after.epoch) events.push({ kind: 'epochChanged', epoch: after.epoch });
  for (const name of new Set([...before.settings.keys(), ...after.settings.keys()])) {
    const [old, now] = [before.settings.get(name), after.settings.get(name)];
    if (!(old && now && sameBytes(old, now))) events.push({ kind: 'settingChanged', name });
  }
  for (const number of after.retired)
    if (!before.retired.has(number)) events.push({ kind: 'authorityRetired', number });
  return events;
}
