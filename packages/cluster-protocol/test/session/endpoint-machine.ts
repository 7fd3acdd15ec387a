import { DropCounters, type Instant, seconds, milliseconds } from '../../src/base/index.js';
import type { CryptoProvider, KeyPair } from '../../src/crypto/provider.js';
import type { Link, LinkId, Machine, SendError, Transmit } from '../../src/interface/machine.js';
import {
  Endpoint,
  type EndpointEvent,
  type EndpointOptions,
  type EndpointPolicy,
  type HandshakeId,
  type InitiationRequest,
  type InitiationVerdict,
} from '../../src/session/index.js';
import type { SimulatedHost } from '../../src/testing/index.js';
import type { SocketAddress } from '../../src/wire/index.js';

const PSK = new Uint8Array(32).fill(7);

/** An endpoint alone on a simulated host, whose policy a test may replace. */
export class EndpointMachine implements Machine<EndpointEvent<string>> {
  readonly endpoint: Endpoint<string>;
  readonly drops = new DropCounters();
  readonly keys: KeyPair;
  readonly events: EndpointEvent<string>[] = [];
  readonly sent: { readonly to: string; readonly bytes: Uint8Array }[] = [];
  readonly received: { readonly from: string; readonly bytes: Uint8Array }[] = [];
  judge: (request: InitiationRequest) => InitiationVerdict<string>;
  readonly #buffer = new Uint8Array(1_500);

  constructor(
    crypto: CryptoProvider,
    host: SimulatedHost,
    keys: KeyPair,
    resetSecret = new Uint8Array(32).fill(keys.publicKey[0]!),
    options: Pick<EndpointOptions<string>, 'maxSessions'> = {},
  ) {
    this.keys = keys;
    this.judge = ({ remoteStatic }) => ({
      verdict: 'accept',
      psk: PSK,
      payload: new Uint8Array(300),
      peer: `from ${remoteStatic[0]}`,
    });
    const policy: EndpointPolicy<string> = {
      judgeInitiation: (_now, request) => this.judge(request),
      judgeResponse: (_now, _payload, _static, peer) => ({ verdict: 'accept', peer }),
    };
    this.endpoint = new Endpoint<string>({
      provider: crypto,
      random: host.random,
      drops: this.drops,
      staticKey: keys,
      resetSecret,
      policy,
      ...options,
    });
  }

  dial(now: Instant, remote: SocketAddress, remoteStatic: Uint8Array, psk = PSK): HandshakeId {
    const path = this.endpoint.paths.intern(1, remote, undefined);
    return this.endpoint.connect(now, {
      remoteStatic,
      psk,
      payload: () => new Uint8Array(300),
      peer: 'to',
      paths: [path.id],
      carry: false,
      timeout: seconds(10),
    });
  }

  kinds(): string[] {
    return this.events.map(event => event.kind);
  }

  handleLinks(_now: Instant, _links: readonly Link[]): void {
    // Paths are interned by the test, on link 1.
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.received.push({ from: remote.key, bytes: bytes.slice() });
    this.endpoint.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.endpoint.handleSendError(now, link, remote, error);
  }

  handleTimeout(now: Instant): void {
    this.endpoint.handleTimeout(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    const sent = this.endpoint.pollTransmit(now, this.#buffer);
    if (!sent) return undefined;
    this.sent.push({ to: sent.path.remote.key, bytes: sent.bytes.slice() });
    return { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
  }

  pollEvent(): EndpointEvent<string> | undefined {
    const event = this.endpoint.pollEvent();
    if (event) this.events.push(event);
    return event;
  }

  pollTimeout(): Instant | undefined {
    return this.endpoint.pollTimeout();
  }
}

export const MOMENT = milliseconds(200);
