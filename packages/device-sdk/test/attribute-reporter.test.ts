import { defineCapability, t as type } from '@coconet/capabilities';
import type { ReportMessage, StateVersion, WireValue } from '@coconet/capabilities';
import { instant } from '@coconet/cluster-protocol';
import test from 'ava';
import fc from 'fast-check';
import { AttributeReporter } from '../src/attribute-reporter.js';
import { DeviceTree } from '../src/device-tree.js';

const sensor = defineCapability({
  id: 'org.coconet.test.sensor',
  name: 'sensor',
  title: 'Attributes under all rules',
  revision: 1,
  tier: 'vendor',
  attributes: {
    plain: { id: 1, type: type.uint8() },
    slow: { id: 2, type: type.uint8(), minReportInterval: 50 },
    alarm: { id: 3, type: type.uint8(), minReportInterval: 50, alarm: true },
  },
});

const IDS = ['a', 'b', 'c'];

/** A device and one subscriber of it, whose link works or does not; a model of what both must agree on at last. */
class Bench {
  now = 0;
  reporter: AttributeReporter | undefined;
  readonly held = new Map<string, WireValue>();
  position: StateVersion | undefined;
  readonly #inFlight: ReportMessage[] = [];
  readonly tree: DeviceTree = new DeviceTree(
    { incarnation: new Uint8Array(8), firstVersion: 10 },
    {
      read: (cells, _events, at) => {
        for (const cell of cells) this.reporter?.handleReading(instant(this.now), cell, at);
      },
      added: resource => this.reporter?.handleAdded(resource),
      removed: resource => this.reporter?.handleRemoved(resource),
      redescribed: () => undefined,
    },
    () => this.now,
    () => undefined,
  );

  connect(): void {
    this.reporter = new AttributeReporter(
      1,
      'guest',
      {
        type: 'subscribe',
        subscriptionId: 1,
        filter: {},
        ...(this.position !== undefined && { resume: this.position }),
      },
      this.tree,
      0,
    );
    this.#inFlight.length = 0;
  }

  disconnect(): void {
    this.reporter = undefined;
    this.#inFlight.length = 0;
  }

  set(id: string, attribute: string, value: number): void {
    const resource = this.tree.resources.get(id) ?? this.tree.add(id, [sensor], {});
    resource.capability('sensor').set({ [attribute]: value });
  }

  remove(id: string): void {
    if (this.tree.resources.has(id)) this.tree.remove(id);
  }

  pass(time: number): void {
    this.now += time;
    this.reporter?.handleTimeout(instant(this.now));
  }

  /** The last message arrives, and the next one leaves. */
  deliver(): boolean {
    const arrived = this.#inFlight.shift();
    if (arrived !== undefined) this.#apply(arrived);
    const next = this.reporter?.nextMessage(instant(this.now));
    if (next !== undefined) this.#inFlight.push(next);
    return next !== undefined;
  }

  #apply({ snapshot, fromVersion, version, stateIncarnation, entries, removed = [] }: ReportMessage): void {
    if (snapshot) this.held.clear();
    else if (fromVersion > (this.position?.version ?? 0)) throw new Error('a gap');
    for (const id of removed)
      for (const key of [...this.held.keys()]) if (key.startsWith(`${id} `)) this.held.delete(key);
    for (const { resourceId, attributeId, value } of entries)
      this.held.set(`${resourceId} ${attributeId}`, value);
    this.position = { stateIncarnation, version };
  }

  /** What the device has. */
  truth(): Map<string, WireValue> {
    const truth = new Map<string, WireValue>();
    for (const { id, capabilities } of this.tree.resources.values())
      for (const { cells } of capabilities)
        for (const [attributeId, cell] of cells) truth.set(`${id} ${attributeId}`, cell.wire);
    return truth;
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    id: fc.constantFrom(...IDS),
    attribute: fc.constantFrom('plain', 'slow', 'alarm'),
    value: fc.nat({ max: 3 }),
  }),
  fc.record({ kind: fc.constant('remove' as const), id: fc.constantFrom(...IDS) }),
  fc.record({ kind: fc.constant('pass' as const), time: fc.nat({ max: 60 }) }),
  fc.constant({ kind: 'deliver' as const }),
  fc.constant({ kind: 'connect' as const }),
  fc.constant({ kind: 'disconnect' as const }),
);

test('whatever is set, removed, cut and resumed, the subscriber holds the truth at last', t => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const bench = new Bench();
      for (const act of steps) {
        if (act.kind === 'set') bench.set(act.id, act.attribute, act.value);
        else if (act.kind === 'remove') bench.remove(act.id);
        else if (act.kind === 'pass') bench.pass(act.time);
        else if (act.kind === 'deliver') bench.deliver();
        else if (act.kind === 'connect') bench.connect();
        else bench.disconnect();
      }

      bench.connect();
      bench.deliver();
      for (let i = 0; i < 3; i++) {
        while (bench.deliver());
        bench.pass(100);
      }
      bench.deliver();

      t.deepEqual([...bench.held].sort(), [...bench.truth()].sort());
    }),
    { numRuns: 500 },
  );
});

test('a position older than the tombstones, or of another life, gets everything anew', t => {
  const bench = new Bench();
  bench.set('a', 'plain', 1);
  bench.connect();
  while (bench.deliver());
  bench.disconnect();
  const { position } = bench;
  for (let i = 0; i < 300; i++) {
    bench.set(`short ${i}`, 'plain', 1);
    bench.remove(`short ${i}`);
  }

  const snapshots = [
    position,
    { stateIncarnation: new Uint8Array(8).fill(1), version: bench.tree.version },
    { stateIncarnation: new Uint8Array(8), version: bench.tree.version + 1 },
    { stateIncarnation: new Uint8Array(8), version: bench.tree.version },
  ].map(resume => {
    bench.position = resume;
    bench.connect();
    return bench.reporter!.nextMessage(instant(0))!.snapshot;
  });

  t.deepEqual(snapshots, [true, true, true, false]);
});
