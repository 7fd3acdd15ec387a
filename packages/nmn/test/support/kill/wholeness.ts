import {
  type CryptoProvider,
  decodeCredential,
  decodeHead,
  decodeRecord,
  encodeCredential,
  encodeHead,
  encodeRecord,
  keyIdOf,
  type NetworkState,
  type StateVersion,
  toHex,
} from '@coconet/cluster-protocol/core';
import { SeededRandom } from '@coconet/cluster-protocol/testing';

import { DEFAULT_CONFIG } from '../../../src/config.js';
import { hasKeys, NetworkLedger } from '../../../src/membership/network-ledger.js';
import type { NetworkContents } from '../../../src/membership/storage-change.js';

/** The memory that an NMN would make of what is on disk. Throws when it cannot be read. */
export const ledgerOf = (provider: CryptoProvider, contents: NetworkContents): NetworkLedger =>
  new NetworkLedger(
    { provider, random: new SeededRandom(1), config: DEFAULT_CONFIG.membership },
    contents,
    'settling',
  );

/** Signs that half of a turn is on disk and half is not; empty for a network that is whole. */
export function halvesOf(contents: NetworkContents, ledger: NetworkLedger): string[] {
  const halves: string[] = [];
  const { state } = ledger;
  if (!state.complete) halves.push('the head does not cover the records');
  if (ledger.secrets.epoch !== state.currentEpoch)
    halves.push(`the records say epoch ${state.currentEpoch}, the secret is of ${ledger.secrets.epoch}`);
  if (contents.version < ledger.ownVersion(state.latestOrder))
    halves.push('the counter is below what was signed');
  for (const { nodeId, credential } of state.members()) {
    const row = contents.members.find(member => member.nodeId === nodeId);
    if (credential.leaf.kind !== 'nmn' && (!row || !same(row.credential, encodeCredential(credential))))
      halves.push(`the member ${nodeId} is published with another certificate than was kept`);
  }
  const invitations = new Map(contents.invitations.map(entry => [toHex(entry.claimId), entry]));
  for (const { nodeId, claimId, credential } of contents.members) {
    if (!state.member(nodeId) && !state.isRevoked({ nodeId }))
      halves.push(`the member ${nodeId} was admitted and not published`);
    const invitation = invitations.get(toHex(claimId));
    const leaf = decodeCredential(credential);
    if (claimId.length === 0 || invitation === undefined || !leaf.ok) continue;
    const used = invitation.state.kind === 'bound' || invitation.state.kind === 'used';
    if (!used || !hasKeys(leaf.value.leaf, invitation.state.keys))
      halves.push(`the member ${nodeId} is there and its invitation was not used by it`);
  }
  for (const { nodeId, state: standing } of contents.invitations)
    if ((standing.kind === 'bound' || standing.kind === 'used') && ledger.issued(nodeId) === undefined)
      halves.push(`the invitation of ${nodeId} is used and nobody was admitted`);
  return halves;
}

/** What an NMN has signed under which number, in all its lives and from whatever angle it was seen. */
export class SignedNumbers {
  readonly #provider: CryptoProvider;
  readonly #seen = new Map<string, string>();

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
  }

  /** The numbers that now stand for two different things. */
  addContents(contents: NetworkContents, ledger: NetworkLedger): string[] {
    const author = this.#authorOf(ledger);
    const head = contents.head && decodeHead(contents.head);
    return [
      ...contents.records.flatMap(({ bytes }) => {
        const record = decodeRecord(bytes);
        return record.ok && same(record.value.author, author)
          ? this.#add(ledger.key, record.value.order, bytes)
          : [];
      }),
      ...(head?.ok === true ? this.#add(ledger.key, head.value.order, encodeHead(head.value)) : []),
    ];
  }

  /** The same for what a member has taken in. */
  addState(state: NetworkState, ledger: NetworkLedger): string[] {
    const author = this.#authorOf(ledger);
    const { head } = state;
    return [
      ...state
        .records()
        .filter(record => same(record.author, author))
        .flatMap(record => this.#add(ledger.key, record.order, encodeRecord(record))),
      ...(head ? this.#add(ledger.key, head.order, encodeHead(head)) : []),
    ];
  }

  #add(network: string, { authorityNumber, version }: StateVersion, bytes: Uint8Array): string[] {
    const name = `${network} ${authorityNumber}.${version}`;
    const hash = toHex(this.#provider.blake2b(16, bytes));
    const known = this.#seen.get(name);
    this.#seen.set(name, hash);
    return known === undefined || known === hash ? [] : [`the number ${name} was signed twice`];
  }

  #authorOf(ledger: NetworkLedger): Uint8Array {
    return keyIdOf(this.#provider, ledger.nmnCredential.leaf.signingKey);
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => toHex(a) === toHex(b);
