import { DropCounters, type Instant, seconds } from '../../src/base/index.js';
import { MemberMind } from '../../src/interface/member-mind.js';
import type {
  Link,
  LinkId,
  Machine,
  RunningMachine,
  SendError,
  Transmit,
} from '../../src/interface/machine.js';
import { MemberPolicy, NO_SECRET, type SessionKind, type SessionPeer } from '../../src/network/index.js';
import { Endpoint, type EndpointEvent, type Session } from '../../src/session/index.js';
import { savedNode, type SimulatedHost, type SmallNetwork } from '../../src/testing/index.js';
import type { SocketAddress } from '../../src/wire/index.js';

/** A member with good keys and a good certificate that sends whatever it likes in its sessions. */
export class Renegade implements Machine<EndpointEvent<SessionPeer>> {
  readonly host: SimulatedHost;
  /** Set by whoever puts it on its host. */
  running: RunningMachine | undefined;
  /** Next message id. */
  sequence = 0;
  readonly #mind: MemberMind;
  readonly #endpoint: Endpoint<SessionPeer>;
  readonly #buffer = new Uint8Array(1_500);

  constructor(network: SmallNetwork, name: string, host: SimulatedHost) {
    this.host = host;
    const { crypto: provider, random } = host;
    const saved = savedNode(network, name, random);
    this.#mind = new MemberMind({
      provider,
      random,
      now: host.now(),
      wall: host.wallTime(),
      saved,
      nmnAddresses: [],
    });
    this.#endpoint = new Endpoint<SessionPeer>({
      provider,
      random,
      drops: new DropCounters(),
      staticKey: saved.keys.static,
      resetSecret: saved.resetSecret,
      policy: new MemberPolicy(this.#mind),
    });
  }

  /** Begins a session of a kind. */
  dial(nodeId: number, to: SocketAddress, kind: SessionKind = 'member'): void {
    const now = this.host.now();
    this.#endpoint.connect(now, {
      remoteStatic: this.#keyOf(nodeId),
      psk: kind === 'member' ? this.#mind.currentSecret : NO_SECRET,
      payload: at => this.#mind.introduction(at, kind),
      peer: { nodeId, kind, certificate: undefined, said: undefined },
      paths: [this.#endpoint.paths.intern(1, to, undefined).id],
      carry: false,
      timeout: seconds(10),
    });
    this.running?.turn();
  }

  /** The session with somebody, for its verbs; call {@link turn} afterwards. */
  session(nodeId: number): Session | undefined {
    const handle = this.#endpoint.sessionWith(this.#keyOf(nodeId));
    return handle === undefined ? undefined : this.#endpoint.open(handle);
  }

  /** Sends a message of a service that may not be its to use. False: there is no session, or no room in it. */
  tell(nodeId: number, service: number, bytes: Uint8Array): boolean {
    const sequence = this.sequence++;
    try {
      this.session(nodeId)?.sendMessage(this.host.now(), {
        sequence,
        floor: () => Math.max(0, sequence - 200),
        service,
        bytes,
      });
    } catch {
      return false; // Even a liar's own queue is full at last.
    }
    this.running?.turn();
    return this.session(nodeId) !== undefined;
  }

  turn(): void {
    this.running?.turn();
  }

  handleLinks(_now: Instant, _links: readonly Link[]): void {
    // It knows its one address.
  }

  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.#endpoint.handleDatagram(now, link, remote, bytes);
  }

  handleSendError(now: Instant, link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#endpoint.handleSendError(now, link, remote, error);
  }

  handleTimeout(now: Instant): void {
    this.#endpoint.handleTimeout(now);
  }

  pollTransmit(now: Instant): Transmit | undefined {
    const sent = this.#endpoint.pollTransmit(now, this.#buffer);
    return sent && { link: sent.path.link, remote: sent.path.remote, bytes: sent.bytes };
  }

  pollEvent(): EndpointEvent<SessionPeer> | undefined {
    return this.#endpoint.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    return this.#endpoint.pollTimeout();
  }

  #keyOf(nodeId: number): Uint8Array {
    return this.#mind.certificateOf(nodeId)!.staticKey;
  }
}
