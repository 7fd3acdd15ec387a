import type { Mutant } from '../mutant.js';

/** The signed state of a network. */
export const STATE: readonly Mutant[] = [
  {
    name: 'an older head takes the place of a newer one',
    file: 'network/network-state.ts',
    original: "    if (order < 0) return { refusal: 'older', events: [] };\n",
    replacement: '',
    tests: ['network/state-head'],
  },
  {
    name: 'an authority signs a head under the number of another',
    file: 'network/network-state.ts',
    original: 'author.number !== authorityNumber || this.isRetired(authorityNumber)',
    replacement: 'this.isRetired(authorityNumber)',
    tests: ['network/state-head', 'network/network-state'],
  },
  {
    name: 'the signature of a record is not checked',
    file: 'network/network-state.ts',
    original: "    if (!isRecordSignedBy(this.#crypto, record, key)) return refuse('badSignature');\n",
    replacement: '',
    tests: ['network/network-state'],
  },
  {
    name: 'an authority signs records under the number of another',
    file: 'network/network-state.ts',
    original: 'return order.authorityNumber !== authority.number || overrules',
    replacement: 'return overrules',
    tests: ['network/network-state'],
  },
  {
    name: 'the number of the authority does not count in the order of records',
    file: 'network/state-version.ts',
    original: 'a.authorityNumber - b.authorityNumber || a.version - b.version',
    replacement: 'a.version - b.version || a.authorityNumber - b.authorityNumber',
    tests: ['network/network-state', 'network/state-head'],
  },
  {
    name: 'an owner that was revoked still takes revocations back',
    file: 'network/state-view.ts',
    original: ' || (isOwner(directory, author) && !before.has(standing!.leaf))',
    replacement: ' || (isOwner(directory, author) && (before.all.length < 0 || standing !== undefined))',
    tests: ['network/network-state'],
  },
  {
    name: 'what a retired authority signed still counts',
    file: 'network/state-view.ts',
    original: 'return authority ? !retired.has(authority.number) : isActiveMember(author);',
    replacement: 'return authority ? true : isActiveMember(author);',
    tests: ['network/network-state'],
  },
  {
    name: 'a member may swap its keys',
    file: 'network/record-table.ts',
    original: 'if (others.some(other => rankOf(held) <= rankOf(other))) return false;',
    replacement: '',
    tests: ['network/network-state'],
  },
  {
    name: 'records of strangers wait in an endless room',
    file: 'network/record-table.ts',
    original: '    if (oldest?.done === false) this.#waiting.delete(oldest.value);\n',
    replacement: '',
    tests: ['network/network-state'],
  },
  {
    name: 'a state is stale one moment before its promise ends',
    file: 'network/network-state.ts',
    original: 'time > this.#head.nextUpdateBy',
    replacement: 'time >= this.#head.nextUpdateBy',
    tests: ['network/state-head'],
  },
  {
    name: 'a peer that will not agree gets everything again and again',
    file: 'network/state-sync.ts',
    original:
      'if (this.#fullAt !== undefined && elapsed(this.#fullAt, now) < FULL_EXCHANGE_INTERVAL) return false;',
    replacement: '',
    tests: ['network/state-sync'],
  },
  {
    name: 'a peer may send records without end',
    file: 'network/state-sync.ts',
    original: '    if (bytes > this.#allowance) return false;\n',
    replacement: '',
    tests: ['network/state-sync'],
  },
];
