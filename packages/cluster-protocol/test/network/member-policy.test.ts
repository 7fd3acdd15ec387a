import test from 'ava';
import { instant } from '../../src/base/index.js';
import {
  encodeCredential,
  encodeHandshakePayload,
  type HandshakePayload,
  type MemberKnowledge,
  MemberPolicy,
  MAX_HANDSHAKE_CREDENTIAL,
  NetworkState,
  ReplayGuard,
  SecretRing,
  type SessionKind,
} from '../../src/network/index.js';
import { NO_PATH } from '../../src/session/endpoint-paths.js';
import { crypto, daysLater, TestNetwork, type TestNode, timeAt } from './fixture.js';

const NOW = instant(1_000);
const NOTHING = new Uint8Array(0);

function payloadOf(net: TestNetwork, node: TestNode, kind: SessionKind): HandshakePayload {
  return {
    kind,
    network: net.network,
    bootCounter: 1,
    uptime: 1,
    features: 0,
    epoch: 0,
    authorityNumber: 1,
    stateVersion: 1,
    outboxIncarnation: new Uint8Array(8),
    inboxIncarnation: new Uint8Array(8),
    credential: encodeCredential(node.credential),
    claimId: NOTHING,
    rootKey: NOTHING,
  };
}

function policyOf(net: TestNetwork, self: TestNode, replays = new ReplayGuard()): MemberPolicy {
  const state = new NetworkState(crypto, net.anchor);
  const knowledge: MemberKnowledge = {
    provider: crypto,
    network: net.network,
    secrets: new SecretRing(),
    replays,
    trust: () => state.trust(timeAt(daysLater(1))),
    introduce: (_now, kind) => payloadOf(net, self, kind),
  };
  return new MemberPolicy(knowledge);
}

test('an answer of another kind of session than was asked for is dropped', t => {
  const net = new TestNetwork();
  const [phone, lamp] = [net.admit('phone'), net.admit('lamp')];
  const policy = policyOf(net, phone);
  const answer = (asked: SessionKind, answered: SessionKind): string => {
    const payload = encodeHandshakePayload(payloadOf(net, lamp, answered));
    const { nodeId } = lamp;
    const peer = { nodeId, kind: asked, certificate: undefined, said: undefined };
    const judged = policy.judgeResponse(NOW, payload, lamp.keys.static.publicKey, peer);
    return judged.verdict === 'drop' ? judged.reason : judged.verdict;
  };
  const kinds: SessionKind[] = ['member', 'nmn', 'catchUp'];

  for (const asked of kinds)
    for (const answered of kinds) t.is(answer(asked, answered), asked === answered ? 'accept' : 'unexpected');
});

test('message 1 is let in when it is newer than the last, or came with a nonce; else a nonce is asked for', t => {
  const net = new TestNetwork();
  const [phone, lamp] = [net.admit('phone'), net.admit('lamp')];
  const replays = new ReplayGuard();
  const policy = policyOf(net, phone, replays);
  const verdict = (bootCounter: number, uptime: number, fresh = false): string => {
    const payload = encodeHandshakePayload({ ...payloadOf(net, lamp, 'catchUp'), bootCounter, uptime });
    const remoteStatic = lamp.keys.static.publicKey;
    return policy.judgeInitiation(NOW, { payload, remoteStatic, path: NO_PATH, fresh }).verdict;
  };

  t.is(verdict(1, 100), 'retry', 'nothing is remembered of it');
  t.is(verdict(1, 100, true), 'accept');
  replays.confirm(lamp.nodeId, { bootCounter: 1, uptime: 100 });

  t.is(verdict(1, 100), 'retry');
  t.is(verdict(1, 101), 'accept');
  t.is(verdict(1, 99, true), 'accept');
});

test('the credential of an invited admin with the longest names fits a handshake', t => {
  const net = new TestNetwork();
  const admin = net.invite('x'.repeat(64), 'admin');

  const { length } = encodeCredential(admin.credential);

  t.log(`${length} of ${MAX_HANDSHAKE_CREDENTIAL} bytes`);
  t.true(length <= MAX_HANDSHAKE_CREDENTIAL);
});
