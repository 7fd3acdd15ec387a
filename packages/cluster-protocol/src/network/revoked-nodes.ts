import { toHex } from '../base/index.js';
import type { RevocationContent } from './record.js';
import type { Revocable } from './verify.js';

/** Who is cut off, by every name a node has: a certificate that shares any one of them is refused. */
export class RevokedNodes {
  readonly #byName = new Map<string, RevocationContent>();
  /** The revocations in force. */
  readonly all: readonly RevocationContent[];

  constructor(revocations: readonly RevocationContent[]) {
    this.all = revocations;
    for (const revocation of revocations)
      for (const name of namesOf(revocation)) {
        const other = this.#byName.get(name);
        // Of several, the one that trusts the node's invitations least.
        if (!other || revocation.invitationsUntil < other.invitationsUntil)
          this.#byName.set(name, revocation);
      }
  }

  /** The revocation that names the node, if one does. */
  find(names: Revocable): RevocationContent | undefined {
    let found: RevocationContent | undefined;
    for (const name of namesOf(names)) {
      const revocation = this.#byName.get(name);
      if (revocation && (!found || revocation.invitationsUntil < found.invitationsUntil)) found = revocation;
    }
    return found;
  }

  has(names: Revocable): boolean {
    return this.find(names) !== undefined;
  }
}

/** The names under which a node can be found; zero means "not named". */
export function namesOf({ serial, nodeId, signingKey, staticKey }: Revocable): readonly string[] {
  const names: string[] = [];
  if (serial) names.push(`serial ${serial}`);
  if (nodeId) names.push(`node ${nodeId}`);
  if (signingKey) names.push(`signing ${toHex(signingKey)}`);
  if (staticKey) names.push(`static ${toHex(staticKey)}`);
  return names;
}
