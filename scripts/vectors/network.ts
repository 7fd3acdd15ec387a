/**
 * Computes the vectors of certificates, records, join URIs and management messages:
 *
 *   npx tsx --conditions=coconet-source scripts/vectors/network.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeText, toHex, wallTime } from '../../packages/cluster-protocol/src/base/index.js';
import {
  NetworkState,
  claimIdOf,
  claimKeyPairOf,
  claimMacOf,
  claimPskOf,
  encodeCertificate,
  encodeCredential,
  encodeHead,
  encodeManagement,
  encodeRecord,
  formatJoinUri,
  formatOperatorUri,
  invitationExtension,
  keyIdOf,
  networkIdOf,
  signAuthority,
  signClaim,
  signHead,
  signInvitation,
  signMembership,
  signRecord,
} from '../../packages/cluster-protocol/src/network/index.js';
import type {
  AuthorityFields,
  Credential,
  CredentialRefusal,
  ManagementContent,
  MembershipFields,
  RecordContent,
} from '../../packages/cluster-protocol/src/network/index.js';
import { createCryptoProvider } from '../../packages/cluster-protocol/src/nodejs/crypto-provider.js';

const crypto = await createCryptoProvider();
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);
const BIRTH = 1_772_323_200_000;
const DAY = 86_400_000;
const day = (count: number) => wallTime(BIRTH + count * DAY);

const root = crypto.signingKeyPair(filled(32, 0x01));
const network = networkIdOf(crypto, root.publicKey);
const nodeKeys = (byte: number) => ({
  signing: crypto.signingKeyPair(filled(32, byte)),
  static: crypto.dhKeyPair(filled(32, byte + 1)),
});
const keys = { nmn: nodeKeys(0x10), owner: nodeKeys(0x20), lamp: nodeKeys(0x30), bob: nodeKeys(0x40) };
const claim = filled(16, 0x50);

const authorityFields: AuthorityFields = {
  network,
  number: 1,
  signingKey: keys.nmn.signing.publicKey,
  staticKey: keys.nmn.static.publicKey,
  pathLength: 0,
  issuedAt: day(0),
  notBefore: day(0),
  notAfter: day(3652),
  extensions: [],
};
const authority = signAuthority(crypto, root, authorityFields);

function membership(of: keyof typeof keys, fields: Partial<MembershipFields>): MembershipFields {
  return {
    network,
    nodeId: 1,
    kind: 'device',
    signingKey: keys[of].signing.publicKey,
    staticKey: keys[of].static.publicKey,
    user: '',
    role: 'none',
    issuedAt: day(0),
    notBefore: day(0),
    notAfter: day(180),
    serial: 0x1234_5678_9abc,
    stateVersion: { authorityNumber: 1, version: 300 },
    extensions: [],
    ...fields,
  };
}
const byRoot = (of: keyof typeof keys, fields: Partial<MembershipFields>): Credential => ({
  leaf: signMembership(crypto, root, membership(of, fields)),
  issuers: [],
});
const byAuthority = (of: keyof typeof keys, fields: Partial<MembershipFields>): Credential => ({
  leaf: signMembership(crypto, keys.nmn.signing, membership(of, fields)),
  issuers: [authority],
});

const owner = byRoot('owner', { nodeId: 2, kind: 'client', user: 'Ada', role: 'owner', serial: 2 });
const nmn = byRoot('nmn', { nodeId: 3, kind: 'nmn', notAfter: day(3652), serial: 3 });
const lamp = byAuthority('lamp', { nodeId: 0xfedc_ba98 });
const invitation = signInvitation(crypto, keys.owner.signing, {
  network,
  nodeId: 5,
  claimKey: claimKeyPairOf(crypto, claim).publicKey,
  kind: 'client',
  role: 'admin',
  user: 'Bob',
  issuedAt: day(0),
  notAfter: day(1),
  serial: 55,
});
const bobKeys = { signingKey: keys.bob.signing.publicKey, staticKey: keys.bob.static.publicKey };
const claimSignature = signClaim(crypto, claim, network, bobKeys);
const extensions = [invitationExtension({ invitation, claimSignature })];
const bob = byAuthority('bob', {
  nodeId: 5,
  kind: 'client',
  user: 'Bob',
  role: 'admin',
  serial: 5,
  extensions,
});

/** Bytes as hexadecimal text, everything else as JSON has it. */
function meaning(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, meaning(item)]));
}

const refusals: [what: string, credential: Credential, result: 'ok' | CredentialRefusal, time?: number][] = [
  ['the first owner', owner, 'ok'],
  ['the NMN', nmn, 'ok'],
  ['a device', lamp, 'ok'],
  ['an invited admin', bob, 'ok'],
  ['at its last moment', lamp, 'ok', day(180)],
  ['a millisecond later', lamp, 'expired', day(180) + 1],
  ['4 minutes early', lamp, 'ok', day(0) - 4 * 60_000],
  ['6 minutes early', lamp, 'notYetValid', day(0) - 6 * 60_000],
  ['an admin without invitation', byAuthority('bob', { role: 'admin' }), 'roleNotGranted'],
  ['an invitation for a lesser role', byAuthority('bob', { ...bob.leaf, role: 'owner' }), 'roleNotGranted'],
  [
    'an invitation claimed by other keys',
    byAuthority('lamp', { ...bob.leaf, ...leafKeys('lamp') }),
    'badSignature',
  ],
  ['an NMN made by an NMN', byAuthority('nmn', { kind: 'nmn' }), 'wrongKind'],
  ['another network', byAuthority('lamp', { network: filled(16, 9) }), 'wrongNetwork'],
  [
    'an unknown critical extension',
    byAuthority('lamp', { extensions: [unknownExtension(true)] }),
    'unknownCritical',
  ],
  ['an unknown extension', byAuthority('lamp', { extensions: [unknownExtension(false)] }), 'ok'],
  ['without its issuer', { leaf: lamp.leaf, issuers: [] }, 'wrongIssuer'],
  ['a member as issuer', { leaf: lamp.leaf, issuers: [owner.leaf] }, 'leafAsIssuer'],
  [
    'two authorities where none may follow',
    { leaf: lamp.leaf, issuers: [authority, authority] },
    'chainTooLong',
  ],
  ['a changed field', { leaf: { ...lamp.leaf, role: 'guest' }, issuers: lamp.issuers }, 'badSignature'],
];

function unknownExtension(critical: boolean) {
  return { id: 77, critical, bytes: Uint8Array.of(1, 2, 3) };
}

function leafKeys(of: keyof typeof keys) {
  return { signingKey: keys[of].signing.publicKey, staticKey: keys[of].static.publicKey };
}

const certificates = () => ({
  description:
    'docs/spec/05-network.md, sections 2 to 4. Bytes are hexadecimal. Every "credentials" entry is judged at "time" (default one day after the issue) by a confirmed clock and a reader who is in touch with the NMN and knows the owner.',
  rootSeed: root.privateKey,
  rootKey: root.publicKey,
  network,
  keyId: keyIdOf(crypto, root.publicKey),
  owner: encodeCertificate(owner.leaf),
  certificates: [owner.leaf, nmn.leaf, authority, lamp.leaf, invitation, bob.leaf].map(certificate => ({
    fields: certificate,
    hex: encodeCertificate(certificate),
  })),
  claim: {
    claim,
    claimId: claimIdOf(crypto, claim),
    psk: claimPskOf(crypto, claim),
    claimKey: claimKeyPairOf(crypto, claim).publicKey,
    joiner: bobKeys,
    mac: claimMacOf(crypto, claim, network, bobKeys),
    signature: claimSignature,
  },
  credentials: refusals.map(([what, credential, result, time]) => ({
    what,
    hex: encodeCredential(credential),
    time: time ?? day(1),
    result,
  })),
});

const contents: RecordContent[] = [
  { kind: 'authority', certificate: authority, retired: false },
  { kind: 'member', name: 'Ada phone', joinedAt: day(0), credential: owner },
  { kind: 'member', name: 'Küche', joinedAt: day(0), credential: lamp },
  { kind: 'member', name: 'Bob', joinedAt: day(0), credential: bob },
  { kind: 'secretEpoch', epoch: 1 },
  { kind: 'setting', name: 'offlineGrace', value: Uint8Array.of(0, 0, 0x9a, 0x7e, 0xc8, 0) },
];
const revocation = (withdrawn: boolean): RecordContent => ({
  kind: 'revocation',
  serial: lamp.leaf.serial,
  nodeId: lamp.leaf.nodeId,
  signingKey: lamp.leaf.signingKey,
  staticKey: lamp.leaf.staticKey,
  at: day(2),
  invitationsUntil: day(2),
  withdrawn,
  reason: 'stolen',
});
const record = (version: number, content: RecordContent, author = keys.nmn.signing) =>
  signRecord(crypto, author, { network, order: { authorityNumber: 1, version }, issuedAt: day(0), content });

function records() {
  const founding = contents.map((content, i) => record(i + 1, content));
  const all = [
    ...founding,
    record(10, revocation(false)),
    record(11, revocation(true), keys.bob.signing),
    record(12, revocation(true), keys.owner.signing),
    record(13, revocation(false), keys.bob.signing),
  ];
  const state = new NetworkState(crypto, { network, rootKey: root.publicKey });
  const steps = all.map(applied => {
    const { refused } = state.apply([applied]);
    return {
      fields: applied,
      hex: encodeRecord(applied),
      outcome: refused[0]?.reason ?? 'applied',
      digests: state.digests,
      lampRevoked: state.isRevoked({ nodeId: lamp.leaf.nodeId }),
    };
  });
  const head = signHead(crypto, keys.nmn.signing, {
    network,
    order: { authorityNumber: 1, version: 14 },
    issuedAt: day(3),
    nextUpdateBy: day(10),
    digests: state.digests,
  });
  state.applyHead(head);
  return {
    description:
      'docs/spec/05-network.md, section 5. The records are applied one after the other to an empty state; in any other order the last digests are the same.',
    rootKey: root.publicKey,
    network,
    records: steps,
    head: { fields: head, hex: encodeHead(head) },
    snapshot: state.snapshot(),
  };
}

function joinUris() {
  const uri = {
    network,
    nmnKey: keys.nmn.static.publicKey,
    claim,
    hosts: [
      { host: 'nmn.example.org', port: 47700 },
      { host: '2001:db8::1', port: 443 },
    ],
    webSocket: 'https://nmn.example.org/ws?net=1',
    name: 'Ada’s home',
  };
  const { hosts, network: net, nmnKey } = uri;
  const plain = { network: net, nmnKey, claim, hosts: hosts.slice(0, 1) };
  const good = formatJoinUri(plain);
  return {
    description: 'docs/spec/05-network.md, section 8. Bytes are hexadecimal. All of "refused" are refused.',
    join: [plain, uri].map(fields => ({ fields, uri: formatJoinUri(fields) })),
    operator: [
      { fields: { nmnKey, token: claim, hosts }, uri: formatOperatorUri({ nmnKey, token: claim, hosts }) },
    ],
    refused: [
      ['the claim is cut off', good.slice(0, -1)],
      ['something follows the claim', `${good}A`],
      ['there is no network id', good.replace(/net=[^&]*&/, '')],
      ['of a later version', good.replace('v=1', 'v=2')],
      ['another scheme', good.replace('coconet:', 'https:')],
      ['the port is out of range', good.replace('47700', '65536')],
      ['nine addresses', `${good}${'&host=h:1'.repeat(8)}`],
      ['an IPv6 address without brackets', good.replace('nmn.example.org', '2001:db8::1')],
      ['a part twice', `${good}&claim=${good.slice(-22)}`],
      ['cut before the #', good.slice(0, good.indexOf('#'))],
      ['the key of the NMN has small order', good.replace(/key=[^&]*/, `key=${'A'.repeat(43)}`)],
      ['trailing bits of the claim are not zero', `${good.slice(0, -1)}R`],
    ].map(([why, text]) => ({ why, uri: text })),
  };
}

const welcome = {
  rootKey: root.publicKey,
  epoch: 1,
  secret: filled(32, 0x60),
  state: Uint8Array.of(1, 0, 0),
};
const messages: ManagementContent[] = [
  {
    type: 'join',
    kind: 'client',
    name: 'Bob phone',
    signingKey: bobKeys.signingKey,
    claimMac: claimMacOf(crypto, claim, network, bobKeys),
    claimSignature,
  },
  { type: 'joined', nodeId: 5, name: 'Bob phone', credential: bob, ...welcome },
  { type: 'renew' },
  { type: 'renewed', credential: lamp },
  {
    type: 'createInvitation',
    claimId: claimIdOf(crypto, claim),
    claimPsk: claimPskOf(crypto, claim),
    name: 'Desk',
    grant: { type: 'plain', kind: 'device', role: 'none', user: '', expiresAt: day(1) },
  },
  {
    type: 'createInvitation',
    claimId: claimIdOf(crypto, claim),
    claimPsk: claimPskOf(crypto, claim),
    name: '',
    grant: { type: 'signed', invitation },
  },
  { type: 'invitationCreated', nodeId: 5 },
  { type: 'prepareNetwork', operatorToken: filled(16, 0x70) },
  {
    type: 'networkPrepared',
    authorityKey: keys.nmn.signing.publicKey,
    nmnStaticKey: keys.nmn.static.publicKey,
    challenge: filled(16, 0x71),
  },
  {
    type: 'createNetwork',
    challenge: filled(16, 0x71),
    operatorToken: filled(16, 0x70),
    name: 'Home',
    rootKey: root.publicKey,
    authority,
    nmnCredential: nmn,
    ownerName: 'Ada phone',
    ownerCredential: owner,
  },
  { type: 'networkCreated', ...welcome },
  { type: 'revoke', record: record(10, revocation(false), keys.owner.signing) },
  { type: 'revoked' },
  { type: 'secret' },
  { type: 'secretIs', epoch: 2, secret: filled(32, 0x61) },
  { type: 'leave' },
  { type: 'left' },
  { type: 'error', code: 'claimUsed', message: 'the invitation was used by another node' },
  { type: 'error', code: 'invalid', message: 'the name contains a slash', field: 'name' },
];

const management = () => ({
  description: 'docs/spec/05-network.md, section 9. Bytes are hexadecimal.',
  messages: messages.map((content, i) => {
    const message = { requestId: i + 1, ...content };
    return { message, hex: encodeManagement(message) };
  }),
  refused: [
    ['no bytes', ''],
    ['type 0', '0000000001'],
    ['an unknown type', 'ff00000001'],
    ['a byte too many', '030000000100'],
    ['an unknown error code', '1100000001ff0000'],
    ['a message that ends in the middle of a letter', `110000000101${toHex(Uint8Array.of(1))}c300`],
    ['a secret cut off', `0e0000000101${toHex(encodeText('short'))}`],
  ].map(([why, hex]) => ({ why, hex })),
});

/** All vectors by file name, made by today's code. */
export const networkVectors = (): Record<string, unknown> => ({
  certificates: meaning(certificates()),
  records: meaning(records()),
  'join-uri': meaning(joinUris()),
  management: meaning(management()),
});

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, vectors] of Object.entries(networkVectors()))
    writeFileSync(
      new URL(`../../test-vectors/${name}.json`, import.meta.url),
      `${JSON.stringify(vectors, undefined, 2)}\n`,
    );
