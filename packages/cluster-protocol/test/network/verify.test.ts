import test from 'ava';
import { instant, wallTime } from '../../src/base/index.js';
import {
  NODE_KINDS,
  TrustedTime,
  VerificationCache,
  createNodeKeys,
  encodeCredential,
  signAuthority,
  signMembership,
  verifyCredential,
} from '../../src/network/index.js';
import type {
  Credential,
  CredentialRefusal,
  MembershipFields,
  Verification,
  VerificationContext,
} from '../../src/network/index.js';
import { BIRTH, TestNetwork, crypto, daysLater, timeAt } from './fixture.js';

const home = new TestNetwork(1);

const context = (changes: Partial<VerificationContext> = {}): VerificationContext => ({
  ...home.anchor,
  time: timeAt(daysLater(1)),
  isRevoked: () => false,
  isRetired: () => false,
  inviter: () => ({ certificate: home.owner.credential.leaf }),
  ...changes,
});

const outcome = (result: Verification): 'ok' | CredentialRefusal => (result.ok ? 'ok' : result.refusal);
const judge = (credential: Credential, changes: Partial<VerificationContext> = {}) =>
  outcome(verifyCredential(crypto, credential, context(changes)));

test('a certificate counts in its own network and as its own kind only', t => {
  const networks = [1, 2, 3, 4].map(seed => new TestNetwork(seed));
  for (const [i, issuing] of networks.entries())
    for (const [j, checking] of networks.entries())
      for (const kind of NODE_KINDS)
        for (const expected of NODE_KINDS) {
          const credential =
            kind === 'nmn' ? issuing.authorization.nmnCredential : issuing.admit('n', { kind }).credential;

          const result = verifyCredential(crypto, credential, context(checking.anchor), {
            kinds: [expected],
          });

          t.is(outcome(result), i !== j ? 'wrongNetwork' : kind !== expected ? 'wrongKind' : 'ok');
        }
});

test('a certificate that names this network but comes from another one is refused', t => {
  const stranger = new TestNetwork(9);
  const keys = createNodeKeys(crypto, stranger.random);
  const leaf = signMembership(crypto, stranger.authorityKeys, home.membership(keys));

  t.is(judge({ leaf, issuers: [stranger.authorization.authority] }), 'wrongNetwork');
  t.is(judge({ leaf, issuers: [home.authorization.authority] }), 'brokenChain');
  t.is(judge({ leaf, issuers: [] }), 'wrongIssuer');
});

test('an authority makes no owner, no admin and no NMN by itself', t => {
  for (const role of ['admin', 'owner'] as const)
    t.is(judge(home.admit('x', { role }).credential), 'roleNotGranted');
  t.is(judge(home.admit('x', { kind: 'nmn' }).credential), 'wrongKind');
  for (const role of ['none', 'guest'] as const) t.is(judge(home.admit('x', { role }).credential), 'ok');
});

test('an owner gives any role by an invitation, an admin none above its own, others none', t => {
  const cases = [
    ['owner', 'owner', 'ok'],
    ['owner', 'admin', 'ok'],
    ['owner', 'guest', 'ok'],
    ['admin', 'owner', 'roleNotGranted'],
    ['admin', 'admin', 'ok'],
    ['guest', 'admin', 'roleNotGranted'],
    ['none', 'guest', 'roleNotGranted'],
  ] as const;
  for (const [inviterRole, role, expected] of cases) {
    const inviter =
      inviterRole === 'owner'
        ? home.owner
        : inviterRole === 'admin'
          ? home.invite('Bob', 'admin')
          : home.admit('guest', { role: inviterRole });
    const { credential } = home.invite('Eve', role, inviter.keys.signing);

    const result = judge(credential, { inviter: () => ({ certificate: inviter.credential.leaf }) });

    t.is(result, expected, `${inviterRole} invites ${role}`);
  }
});

test('the root may invite too', t => {
  const { credential } = home.invite('Eve', 'owner', home.genesis.root);

  t.is(judge(credential, { inviter: () => undefined }), 'ok');
});

test('an invitation counts for what it names and for nothing else', t => {
  const changes: Partial<MembershipFields>[] = [
    { nodeId: 4711 },
    { kind: 'service' },
    { role: 'owner' },
    { role: 'none' },
    { user: 'Mallory' },
  ];
  for (const leaf of changes) {
    const { credential } = home.invite('Bob', 'admin', home.owner.keys.signing, { leaf });

    t.is(judge(credential), 'roleNotGranted', JSON.stringify(leaf));
  }
});

test('an invitation does not pass to keys that did not claim it', t => {
  const other = createNodeKeys(crypto, home.random);
  const { signing, static: statics } = other;
  for (const leaf of [{ signingKey: signing.publicKey }, { staticKey: statics.publicKey }]) {
    const { credential } = home.invite('Bob', 'admin', home.owner.keys.signing, { leaf });

    t.is(judge(credential), 'badSignature');
  }
});

test('an invitation forged under the name of an owner is refused', t => {
  const forger = createNodeKeys(crypto, home.random).signing;
  const { credential } = home.invite('Eve', 'owner', forger);

  t.is(judge(credential), 'badSignature');
  t.is(judge(credential, { inviter: () => undefined }), 'inviterUnknown');
});

test('what a revoked owner gave counts up to the moment that its revocation names', t => {
  const { credential } = home.invite('Bob', 'admin');
  const inviter = { certificate: home.owner.credential.leaf };

  t.is(judge(credential, { inviter: () => ({ ...inviter, invitationsUntil: daysLater(1) }) }), 'ok');
  t.is(
    judge(credential, { inviter: () => ({ ...inviter, invitationsUntil: wallTime(0) }) }),
    'inviterRevoked',
  );
  for (const [late, expected] of [
    [0, 'ok'],
    [1, 'inviterRevoked'],
  ] as const)
    t.is(
      judge(credential, { inviter: () => ({ ...inviter, invitationsUntil: wallTime(BIRTH - late) }) }),
      expected,
    );
});

test('a certificate with one key that is not the known one of its node is refused', t => {
  const { credential } = home.invite('Bob', 'admin');
  const { signingKey, staticKey } = credential.leaf;
  const strange = new Uint8Array(32).fill(9);

  t.is(judge(credential, { knownKeys: () => ({ signingKey, staticKey }) }), 'ok');
  t.is(judge(credential, { knownKeys: () => ({ signingKey: strange, staticKey }) }), 'wrongKey');
  t.is(judge(credential, { knownKeys: () => ({ signingKey, staticKey: strange }) }), 'wrongKey');
});

test('a leaf cannot issue', t => {
  const keys = createNodeKeys(crypto, home.random);
  const leaf = signMembership(crypto, home.owner.keys.signing, home.membership(keys));

  t.is(judge({ leaf, issuers: [home.owner.credential.leaf] }), 'leafAsIssuer');
});

test('the length of a chain is bounded by its authorities and by the format', t => {
  const { authority } = home.authorization;
  const sub = createNodeKeys(crypto, home.random);
  const keys = createNodeKeys(crypto, home.random);
  const below = (pathLength: number, issuer = home.authorityKeys) =>
    signAuthority(crypto, issuer, { ...authority, signingKey: sub.signing.publicKey, number: 2, pathLength });
  const leaf = signMembership(crypto, sub.signing, home.membership(keys));
  const long = signAuthority(crypto, home.genesis.root, { ...authority, pathLength: 1 });

  t.is(judge({ leaf, issuers: [below(0), authority] }), 'chainTooLong', 'path length 0 allows leaves only');
  t.is(judge({ leaf, issuers: [below(0), long] }), 'ok', 'path length 1 allows one more');
  t.is(judge({ leaf, issuers: [below(0), long, long, long, long] }), 'chainTooLong');
  t.is(judge({ leaf, issuers: [long] }), 'brokenChain');
});

test('an unknown critical extension refuses a certificate, another one does not', t => {
  const extension = { id: 77, bytes: Uint8Array.of(1, 2, 3) };

  t.is(
    judge(home.admit('x', { extensions: [{ ...extension, critical: true }] }).credential),
    'unknownCritical',
  );
  t.is(judge(home.admit('x', { extensions: [{ ...extension, critical: false }] }).credential), 'ok');
});

test('a critical extension in an authority certificate is refused', t => {
  const extensions = [{ id: 2, critical: true, bytes: new Uint8Array(0) }];
  const authority = signAuthority(crypto, home.genesis.root, { ...home.authorization.authority, extensions });
  const { leaf } = home.admit('lamp').credential;

  t.is(judge({ leaf, issuers: [authority] }), 'unknownCritical');
});

test('an invitation that is not critical or not well-formed is refused', t => {
  const { leaf } = home.invite('Bob', 'admin').credential;
  const [extension] = leaf.extensions;
  const cases = [
    { ...extension!, critical: false },
    { ...extension!, bytes: extension!.bytes.slice(1) },
  ];
  for (const changed of cases)
    t.is(judge(home.admit('x', { ...leaf, extensions: [changed] }).credential), 'malformed');
});

test('a node is refused when it has other keys or another id than expected', t => {
  const { credential, keys, nodeId } = home.admit('lamp');
  const other = home.admit('fan');
  const check = (expectation: Parameters<typeof verifyCredential>[3]) =>
    outcome(verifyCredential(crypto, credential, context(), expectation));

  t.is(check({ staticKey: keys.static.publicKey, nodeId, kinds: ['device', 'client'] }), 'ok');
  t.is(check({ staticKey: other.keys.static.publicKey }), 'wrongKey');
  t.is(check({ nodeId: other.nodeId }), 'wrongNode');
  t.is(check({ kinds: ['client'] }), 'wrongKind');
  t.is(judge(credential, { knownKeys: () => other.credential.leaf }), 'wrongKey');
});

test('revocation comes before everything that a good certificate could say', t => {
  const { credential } = home.admit('lamp');

  t.is(judge(credential, { isRevoked: ({ serial }) => serial === credential.leaf.serial }), 'revoked');
  t.is(judge(credential, { isRevoked: () => true, time: timeAt(daysLater(9999)) }), 'revoked');
});

test('what a retired authority signed is refused', t => {
  t.is(judge(home.admit('lamp').credential, { isRetired: number => number === 1 }), 'authorityRetired');
  t.is(judge(home.owner.credential, { isRetired: () => true }), 'ok', 'the root is no authority');
});

test('an issuer that is out of date ends all that it signed', t => {
  const { leaf } = home.admit('lamp', { notAfter: daysLater(9000) }).credential;
  const authority = signAuthority(crypto, home.genesis.root, {
    ...home.authorization.authority,
    notAfter: daysLater(10),
  });
  const time = new TrustedTime(instant(0), daysLater(11)).at(instant(0), { lastNmnContact: daysLater(10.5) });

  t.is(judge({ leaf, issuers: [authority] }, { time }), 'expired');
});

test('the cache changes no result and stays small', t => {
  const cache = new VerificationCache(4);
  const nodes = Array.from({ length: 10 }, (_, i) => home.admit(`n${i}`));
  for (const node of [...nodes, ...nodes]) {
    t.is(judge(node.credential, { cache }), 'ok');
    const forged = { ...node.credential.leaf, nodeId: (node.nodeId ^ 1) >>> 0 };
    t.is(judge({ ...node.credential, leaf: forged }, { cache }), 'badSignature');
  }
  const [node] = nodes;
  t.is(judge(node!.credential, { cache, isRevoked: () => true }), 'revoked');
  t.true(encodeCredential(node!.credential).length < 420);
});
