import type { Mutant } from '../mutant.js';

/** Certificates, time, and who is let in. */
export const MEMBERSHIP: readonly Mutant[] = [
  {
    name: 'a certificate counts for as long as the grace after its end',
    file: 'network/trusted-time.ts',
    original: "if (time <= span.notAfter) return 'valid';",
    replacement: "if (time <= span.notAfter + offlineGrace) return 'valid';",
    tests: ['network/trusted-time'],
  },
  {
    name: 'the beginning of a certificate has no tolerance',
    file: 'network/trusted-time.ts',
    original: 'span.notBefore - CLOCK_TOLERANCE > time',
    replacement: 'span.notBefore > time',
    tests: ['network/trusted-time'],
  },
  {
    name: 'a clock that nobody confirmed judges the beginning of a certificate',
    file: 'network/trusted-time.ts',
    original: 'if (confirmed && span.notBefore',
    replacement: 'if (span.notBefore',
    tests: ['network/trusted-time'],
  },
  {
    name: 'the grace is given to a node that has met its NMN since',
    file: 'network/trusted-time.ts',
    original: '!inTouchSince && time - span.notAfter',
    replacement: '(inTouchSince || time > 0) && time - span.notAfter',
    tests: ['network/trusted-time'],
  },
  {
    name: 'an older signed time takes the lower bound back',
    file: 'network/trusted-time.ts',
    original: 'if (signed > this.lowerBound(now)) {',
    replacement: 'if (signed !== this.lowerBound(now)) {',
    tests: ['network/trusted-time'],
  },
  {
    name: 'only the first certificate of a chain has to be of the network',
    file: 'network/verify.ts',
    original: 'chain.some(certificate => !sameBytes(certificate.network, root.network))',
    replacement: 'chain.slice(0, 1).some(certificate => !sameBytes(certificate.network, root.network))',
    tests: ['network/verify'],
  },
  {
    name: 'a chain may be longer than its authorities allow',
    file: 'network/verify.ts',
    original: "    if (issuer.pathLength < above) return refuse('chainTooLong');\n",
    replacement: '',
    tests: ['network/verify'],
  },
  {
    name: 'the signature of the member’s own certificate is not checked',
    file: 'network/verify.ts',
    original: 'let i = chain.length - 1; i >= 0; i--',
    replacement: 'let i = chain.length - 1; i > 0; i--',
    tests: ['network/verify', 'network/certificate'],
  },
  {
    name: 'a revoked node is let in',
    file: 'network/verify.ts',
    original: "  if (context.isRevoked(leaf)) return refuse('revoked');\n",
    replacement: '',
    tests: ['network/verify'],
  },
  {
    name: 'a new certificate may bring other keys than the state knows of the node',
    file: 'network/verify.ts',
    original:
      'if (known && !(sameBytes(known.signingKey, leaf.signingKey) && sameBytes(known.staticKey, leaf.staticKey)))',
    replacement:
      'if (known && !(sameBytes(known.signingKey, leaf.signingKey) || sameBytes(known.staticKey, leaf.staticKey)))',
    tests: ['network/verify', 'network/network-state'],
  },
  {
    name: 'an invitation as guest makes an admin',
    file: 'network/verify.ts',
    original: '  invitation.role === leaf.role &&\n',
    replacement: '',
    tests: ['network/verify'],
  },
  {
    name: 'an admin invites owners',
    file: 'network/verify.ts',
    original: 'roleRank(inviter) > 0 && roleRank(inviter) >= roleRank(granted)',
    replacement: 'roleRank(inviter) > 0 && roleRank(inviter) + 1 >= roleRank(granted)',
    tests: ['network/verify'],
  },
  {
    name: 'what a revoked owner gave in the moment that its revocation names does not count',
    file: 'network/verify.ts',
    original: 'invitation.issuedAt > invitationsUntil',
    replacement: 'invitation.issuedAt >= invitationsUntil',
    tests: ['network/verify'],
  },
  {
    name: 'message 1 of the same moment is taken for a newer one',
    file: 'network/replay-guard.ts',
    original: 'a.uptime > b.uptime',
    replacement: 'a.uptime >= b.uptime',
    tests: ['network/replay-guard'],
  },
  {
    name: 'an answer of another kind of session is taken',
    file: 'network/member-policy.ts',
    original: "    if (said.kind !== peer.kind) return { verdict: 'drop', reason: 'unexpected' };\n",
    replacement: '',
    tests: ['network/member-policy'],
  },
  {
    name: 'an older secret of the network replaces the newer one',
    file: 'network/secret-ring.ts',
    original: 'secret.epoch <= this.epoch ||',
    replacement: '',
    tests: ['network/secret-ring'],
  },
  {
    name: 'the proof of a claim does not name the network',
    file: 'network/claim.ts',
    original: '  concatBytes(network, keys.signingKey, keys.staticKey);\n\n/** What the critical',
    replacement:
      '  concatBytes(network.slice().fill(0), keys.signingKey, keys.staticKey);\n\n/** What the critical',
    tests: ['network/codecs', 'network/verify'],
  },
];
