import type { NmnMachine } from './nmn-machine.js';
import type { Metric, MetricSample, Subsystem } from './subsystem.js';

const gauge = (name: string, help: string, value: number): Metric => ({
  name,
  help,
  type: 'gauge',
  samples: [{ value }],
});

const counter = (name: string, help: string, value: number): Metric => ({
  ...gauge(name, help, value),
  type: 'counter',
});

const byReason = (name: string, help: string, counts: Readonly<Record<string, number>>): Metric => ({
  name,
  help,
  type: 'counter',
  samples: Object.entries(counts).map(([reason, value]): MetricSample => ({ labels: { reason }, value })),
});

/** The sub-systems that every NMN has, as the others see them: how they are and what they count. */
export function builtInSubsystems(machine: NmnMachine): Subsystem[] {
  return [membership(machine), rendezvous(machine), relay(machine), stun(machine)];
}

function membership(machine: NmnMachine): Subsystem {
  const members = (): number =>
    [...machine.networks.all()].reduce((sum, { ledger }) => sum + ledger.state.members().length, 0);
  return {
    name: 'membership',
    health: () =>
      machine.reloading > 0
        ? { status: 'degraded', detail: 'the disk does not take writes; requests are refused until it does' }
        : machine.settling
          ? { status: 'ok', detail: 'waiting for members to show what was signed before the start' }
          : { status: 'ok' },
    metrics: () => [
      gauge('membership_networks', 'Networks that are served.', machine.networks.size),
      gauge('membership_members', 'Members of all networks.', members()),
      gauge('membership_pending_commits', 'Changes on their way to the disk.', machine.pendingCommits),
      gauge('sessions', 'Open sessions.', machine.sessionCount),
      byReason('dropped_total', 'What was dropped, by reason.', machine.drops.snapshot()),
    ],
  };
}

function rendezvous(machine: NmnMachine): Subsystem {
  return {
    name: 'rendezvous',
    health: () => ({ status: 'ok' }),
    metrics: () => {
      const { online, introductions, punches, refused } = machine.rendezvous.counters;
      return [
        gauge('rendezvous_online', 'Members with a session.', online),
        counter('rendezvous_introductions_total', 'Introductions made.', introductions),
        counter('rendezvous_punches_total', 'Punches timed.', punches),
        byReason('rendezvous_refused_total', 'Introductions and punches refused, by reason.', refused),
      ];
    },
  };
}

function relay(machine: NmnMachine): Subsystem {
  return {
    name: 'relay',
    health: () => ({ status: 'ok' }),
    metrics: () => {
      const counters = machine.relay.counters;
      return [
        gauge('relay_leases', 'Leases in force.', counters.leases),
        counter('relay_forwarded_packets_total', 'Packets relayed.', counters.forwardedPackets),
        counter('relay_forwarded_bytes_total', 'Bytes relayed.', counters.forwardedBytes),
        counter(
          'relay_shaped_bytes_total',
          'Bytes dropped because a node exceeded its rate.',
          counters.shapedBytes,
        ),
        byReason('relay_dropped_total', 'Packets not relayed, by reason.', counters.dropped),
      ];
    },
  };
}

function stun(machine: NmnMachine): Subsystem {
  return {
    name: 'stun',
    health: () => ({ status: 'ok' }),
    metrics: () => [
      counter('stun_answered_total', 'STUN requests answered.', machine.stun.answered),
      byReason('stun_dropped_total', 'STUN requests not answered, by reason.', machine.stun.dropped),
    ],
  };
}
