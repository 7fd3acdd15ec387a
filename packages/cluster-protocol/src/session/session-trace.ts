import type { DropReason, TraceSink, TraceValue } from '../base/index.js';
import { DATA_HEADER, FrameReader, MAX_DATAGRAM } from '../wire/index.js';
import { tracedFrames } from './frame-trace.js';
import { DROP_TRIGGERS, hex32, tracedHeader } from './packet-trace.js';
import type { PathId, SessionEvent } from './session-event.js';
import type { SessionPath } from './session-path.js';
import { isOneWay } from './stream-id.js';

/** Why a packet counts as lost: qlog's words, and two of ours. */
export type LossTrigger = 'reordering_threshold' | 'time_threshold' | 'path_abandoned' | 'table_full';

/** What a half of a stream, or the whole, has come to. */
export type StreamTraceState = 'open' | 'data_sent' | 'data_received' | 'reset_received' | 'closed';

/** What a session is called. */
export interface SessionName {
  readonly role: 'initiator' | 'responder';
  readonly localIndex: number;
  readonly remoteIndex: number;
  /** Whom it is with, for people. */
  readonly peer: string;
}

/** What was told of a path last. */
interface Told {
  metrics: Readonly<Record<string, number>>;
  congestion: string;
  /** The ordinal whose acknowledgement ends the recovery that is under way; −1: none is. */
  recoveryEnd: number;
  mtu: number;
}

/**
 * What happens in one session, in the words of qlog's QUIC events where QUIC has the thing, else in our own namespace. It
 * is made only where somebody listens; all others pay for one look at `undefined`.
 */
export class SessionTrace {
  readonly #sink: TraceSink;
  readonly #role: SessionName['role'];
  readonly #group: string;
  readonly #pathName: (path: PathId) => string;
  readonly #reader = new FrameReader();
  readonly #told = new WeakMap<SessionPath, Told>();

  /** `pathName`: link and address of a path. */
  constructor(sink: TraceSink, name: SessionName, path: PathId, pathName: (path: PathId) => string) {
    this.#sink = sink;
    this.#pathName = pathName;
    const { role, localIndex, remoteIndex, peer } = name;
    this.#role = role;
    const [first, second] = role === 'initiator' ? [localIndex, remoteIndex] : [remoteIndex, localIndex];
    this.#group = `${hex32(first)}-${hex32(second)}`;
    this.#record(
      'quic:connection_started',
      {
        local: { connection_ids: [hex32(localIndex)] },
        remote: { connection_ids: [hex32(remoteIndex)] },
        role,
        peer,
      },
      path,
    );
  }

  /** A packet is about to be sealed: its header is written, its frames end at `end`, it will have `length` bytes. */
  sent(path: PathId, number: number, packet: Uint8Array, end: number, length: number, sizing: boolean): void {
    const frames = tracedFrames(this.#reader, packet, DATA_HEADER, end);
    const header = { ...tracedHeader(packet), packet_number: number };
    const probe = sizing ? { is_mtu_probe_packet: true } : undefined;
    this.#record('quic:packet_sent', { header, raw: { length }, frames, ...probe }, path);
  }

  /** A packet was opened and is well-formed: its frames end at `end`, it came with `length` bytes. */
  received(path: PathId, number: number, packet: Uint8Array, end: number, length: number): void {
    const frames = tracedFrames(this.#reader, packet, DATA_HEADER, end);
    const header = { ...tracedHeader(packet), packet_number: number };
    this.#record('quic:packet_received', { header, raw: { length }, frames }, path);
  }

  /** A packet for this session was dropped. */
  dropped(path: PathId, packet: Uint8Array, reason: DropReason): void {
    const data = { header: tracedHeader(packet), raw: { length: packet.length } };
    this.#record(
      'quic:packet_dropped',
      { ...data, trigger: DROP_TRIGGERS[reason] ?? 'invalid', details: { reason } },
      path,
    );
  }

  /** A packet counts as lost. */
  lost(path: SessionPath, number: number, sizing: boolean, trigger: LossTrigger): void {
    const header = { packet_type: '1RTT', packet_number: number };
    const probe = sizing ? { is_mtu_probe_packet: true } : undefined;
    this.#record('quic:packet_lost', { header, ...probe, trigger }, path.id);
  }

  /** A timer of loss detection ran out. */
  timer(kind: 'ack' | 'pto', path: SessionPath): void {
    this.#record(
      'quic:loss_timer_updated',
      { timer_type: kind, packet_number_space: 'application_data', event_type: 'expired' },
      path.id,
    );
  }

  /** Recovery looked at a path: tells what is another than it was. */
  metrics(path: SessionPath): void {
    const told = this.#toldOf(path);
    const metrics = metricsOf(path);
    const news = Object.entries(metrics).filter(([name, value]) => told.metrics[name] !== value);
    told.metrics = metrics;
    if (news.length > 0) this.#record('quic:recovery_metrics_updated', Object.fromEntries(news), path.id);
    if (path.acknowledgedOrdinal >= told.recoveryEnd)
      this.#congestion(path, path.congestion.slowStart ? 'slow_start' : 'congestion_avoidance');
    const { size } = path.mtu;
    if (size === told.mtu) return;
    this.#record('quic:mtu_updated', { old: told.mtu, new: size }, path.id);
    told.mtu = size;
  }

  /** Losses made the window smaller. */
  congested(path: SessionPath): void {
    this.#toldOf(path).recoveryEnd = path.ordinals;
    this.#congestion(path, 'recovery');
  }

  /** Everything was lost for a long time: the path begins anew. */
  collapsed(path: SessionPath): void {
    this.#toldOf(path).recoveryEnd = -1;
    this.#congestion(path, 'slow_start', 'persistent_congestion');
  }

  /** Another key is in use from now on, to seal with (`local`) or to open with. QUIC calls who began a session the client. */
  keys(side: 'local' | 'remote', phase: number): void {
    const owner = (this.#role === 'initiator') === (side === 'local') ? 'client' : 'server';
    this.#record(
      'quic:key_updated',
      { key_type: `${owner}_1rtt_secret`, key_phase: phase, trigger: `${side}_update` },
      undefined,
    );
  }

  /** Everything new goes on another path from now on. */
  moved(path: PathId): void {
    this.#record('coconet:path_moved', {}, path);
  }

  /** Something became of a stream. */
  stream(id: number, state: StreamTraceState, side?: 'sending' | 'receiving'): void {
    this.#record(
      'quic:stream_state_updated',
      {
        stream_id: id,
        stream_type: isOneWay(id) ? 'unidirectional' : 'bidirectional',
        new: state,
        stream_side: side,
      },
      undefined,
    );
  }

  /** The session tells its owner something. */
  event(event: SessionEvent): void {
    switch (event.kind) {
      case 'confirmed':
        this.#record('coconet:session_confirmed', {}, undefined);
        return;
      case 'closed': {
        const { by, code, reason } = event;
        const owner = by === 'peer' || by === 'reset' ? 'remote' : 'local';
        const trigger = CLOSE_TRIGGERS[by];
        this.#record('quic:connection_closed', { owner, application_code: code, reason, trigger }, undefined);
        return;
      }
      case 'pathValidated':
        this.#record('coconet:path_validated', { rtt: event.rtt }, event.path);
        return;
      case 'peerPath':
        this.#record('coconet:path_peer_moved', {}, event.path);
        return;
      case 'pathSuspect':
        this.#record('coconet:path_suspect', {}, event.path);
        return;
      case 'pathAlive':
        this.#record('coconet:path_alive', {}, event.path);
        return;
      case 'streamOpened':
        this.stream(event.stream, 'open');
        return;
      case 'streamFinished':
        this.stream(event.stream, 'data_received', 'sending');
        return;
      case 'streamReset':
        this.stream(event.stream, 'reset_received', 'receiving');
        return;
      case 'streamStopped':
        this.stream(event.stream, 'closed', 'sending');
        return;
      default:
    }
  }

  #congestion(path: SessionPath, state: string, trigger?: string): void {
    const told = this.#toldOf(path);
    if (state === told.congestion) return;
    this.#record('quic:congestion_state_updated', { old: told.congestion, new: state, trigger }, path.id);
    told.congestion = state;
  }

  #toldOf(path: SessionPath): Told {
    const told = this.#told.get(path) ?? {
      metrics: {},
      congestion: 'slow_start',
      recoveryEnd: -1,
      mtu: Math.min(MAX_DATAGRAM, path.mtu.limit),
    };
    this.#told.set(path, told);
    return told;
  }

  #record(name: string, data: Readonly<Record<string, TraceValue>>, path: PathId | undefined): void {
    const on = path === undefined ? undefined : this.#pathName(path);
    this.#sink.record({ name, data, group: this.#group, path: on });
  }
}

const CLOSE_TRIGGERS = {
  local: 'application',
  peer: 'application',
  idle: 'idle_timeout',
  reset: 'stateless_reset',
} as const;

/** Times in ms, amounts in bytes. */
const metricsOf = (path: SessionPath): Readonly<Record<string, number>> => ({
  ...(path.rtt.sampled && {
    min_rtt: path.rtt.minimum,
    smoothed_rtt: path.rtt.smoothed,
    latest_rtt: path.rtt.latest,
    rtt_variance: path.rtt.variance,
  }),
  pto_count: path.probeTimeouts,
  congestion_window: Math.floor(path.congestion.window),
  bytes_in_flight: path.bytesInFlight,
  packets_in_flight: path.packetsInFlight,
});
