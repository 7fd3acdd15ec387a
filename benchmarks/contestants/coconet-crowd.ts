import {
  DropCounters,
  type Instant,
  type Machine,
  type Membership,
  randomBytes,
  type RunningMachine,
  seconds,
  type SocketAddress,
} from '@coconet/cluster-protocol';
import {
  encodeHandshakePayload,
  Endpoint,
  type EndpointEvent,
  type NetworkSecret,
  type NodeKeys,
} from '@coconet/cluster-protocol/core';
import type { NodeHost } from '@coconet/cluster-protocol/node';

import { LOOPBACK } from '../contestant.js';
import { Deferred } from '../deferred.js';
import { requestOf } from '../request.js';
import { SERVICE, WatchedMachine } from './coconet-member.js';

/** One for all: what is polled is sent before anything else is. */
const BUFFER = new Uint8Array(65_536);
/** Sessions that are set up at once, and milliseconds for these: above 128 handshakes a second a node asks for cookies. */
const AT_ONCE = 8;
const PACE = 80;
/** The number of the one link. */
const LINK = 1;

/** Who comes to one server for one request. */
export interface Guest {
  readonly keys: NodeKeys;
  readonly membership: Membership;
  readonly secret: NetworkSecret;
  /** X25519 public key of the server. */
  readonly server: Uint8Array;
  readonly address: SocketAddress;
}

/**
 * Members of a large network in one process, each a bare endpoint: a whole node would keep the records of all members,
 * and a thousand of them a million records. The server cannot tell the difference. Gives how to send all away.
 */
export async function crowdOf(
  host: NodeHost,
  guests: readonly Guest[],
  capped: boolean,
): Promise<() => Promise<void>> {
  const running: RunningMachine[] = [];
  for (let at = 0; at < guests.length; at += AT_ONCE) {
    const few = guests.slice(at, at + AT_ONCE).map(guest => visit(host, guest, capped));
    const pause = new Promise(resolve => setTimeout(resolve, PACE));
    running.push(...(await Promise.all(few)));
    await pause;
  }
  return async () => {
    await Promise.all(running.map(machine => machine.close()));
  };
}

async function visit(host: NodeHost, guest: Guest, capped: boolean): Promise<RunningMachine> {
  const answer = new Deferred<undefined>();
  const { keys, membership, secret, server, address } = guest;
  const endpoint = new Endpoint<null>({
    provider: host.crypto,
    random: host.random,
    drops: new DropCounters(),
    staticKey: keys.static,
    resetSecret: randomBytes(host.random, 32),
    policy: {
      judgeInitiation: () => ({ verdict: 'drop', reason: 'refusedPeer' }),
      judgeResponse: () => ({ verdict: 'accept', peer: null }),
    },
  });
  const running = await host.run(
    new WatchedMachine(machineOf(endpoint), capped),
    { bind: [LOOPBACK] },
    event => {
      if (event.kind === 'handshakeFailed')
        answer.reject(new Error(`a handshake failed: ${event.failure.kind}`));
      else if (event.kind === 'session' && event.event.kind === 'message' && event.event.service === SERVICE)
        answer.resolve(undefined);
      else if (event.kind === 'opened')
        endpoint
          .open(event.session)
          ?.sendMessage(host.now(), { sequence: 0, floor: () => 0, service: SERVICE, bytes: requestOf(0) });
      running.turn();
    },
  );
  const payload = encodeHandshakePayload({
    kind: 'member',
    network: membership.network,
    bootCounter: 1,
    uptime: 0,
    features: 0,
    epoch: secret.epoch,
    authorityNumber: 0,
    stateVersion: 0,
    outboxIncarnation: randomBytes(host.random, 8),
    inboxIncarnation: randomBytes(host.random, 8),
    credential: membership.credential,
    claimId: new Uint8Array(0),
    rootKey: new Uint8Array(0),
  });
  endpoint.connect(host.now(), {
    remoteStatic: server,
    psk: secret.secret,
    payload: () => payload,
    peer: null,
    paths: [endpoint.paths.intern(LINK, address, undefined).id],
    carry: false,
    timeout: seconds(10),
  });
  running.turn();
  await answer.promise;
  return running;
}

/** An endpoint as a driver turns it. */
function machineOf(endpoint: Endpoint<null>): Machine<EndpointEvent<null>> {
  const buffer = BUFFER;
  return {
    handleDatagram: (now, link, remote, bytes) => {
      endpoint.handleDatagram(now, link, remote, bytes);
    },
    handleSendError: (now, link, remote, error) => {
      endpoint.handleSendError(now, link, remote, error);
    },
    handleLinks: () => undefined,
    handleTimeout: now => {
      endpoint.handleTimeout(now);
    },
    pollTransmit: (now: Instant) => {
      const sent = endpoint.pollTransmit(now, buffer);
      return sent && { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
    },
    pollEvent: () => endpoint.pollEvent(),
    pollTimeout: () => endpoint.pollTimeout(),
  };
}
