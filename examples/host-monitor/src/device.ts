import {
  deviceInfo,
  diagnostics,
  electricalMeasurement,
  identify,
  networkConfiguration,
  onOff,
  powerLevel,
  telemetry,
  temperatureMeasurement,
  type AnyCapability,
} from '@coconet/capabilities';
import { CommandRefused, createDevice, type Device } from '@coconet/device-sdk';

import { Beacon } from './beacon.js';
import type { Output } from './output.js';
import { Sampler } from './sampler.js';
import { FAST, hostSources, readMachine } from './sources.js';
import { TelemetryRecorder } from './telemetry-recorder.js';

/** How to run a host monitor. */
export interface HostMonitorOptions {
  readonly name: string;
  readonly join: string | undefined;
  readonly store: string;
  readonly output: Output;
  /** Calls the start off. */
  readonly signal: AbortSignal;
}

/** A running host monitor. */
export interface HostMonitor {
  readonly device: Device;
  /** Stops reading, says goodbye and writes what is to be kept. */
  close(): Promise<void>;
}

const CHANNELS = [
  { id: 'cpuLoad', name: 'Processor load', unit: '%', type: 'float32' },
  { id: 'memoryUsed', name: 'Memory in use', unit: 'B', type: 'uint64' },
  { id: 'temperature', name: 'Processor temperature', unit: '°C', type: 'float32' },
  { id: 'received', name: 'Received', unit: 'B/s', type: 'uint64' },
  { id: 'sent', name: 'Sent', unit: 'B/s', type: 'uint64' },
] as const;

const schedule = (delay: number, action: () => void): (() => void) => {
  const timer = setTimeout(action, delay);
  return () => clearTimeout(timer);
};

/** Makes this computer a device of a network. Throws what `createDevice` throws. */
export async function startHostMonitor(options: HostMonitorOptions): Promise<HostMonitor> {
  const { output, name, join, store, signal } = options;
  const machine = await readMachine();
  const device = await createDevice({
    name,
    join,
    store,
    signal,
    productName: 'Coconet host monitor',
    manufacturer: machine.manufacturer,
    model: machine.model,
    onNotice: text => output.announce({ event: 'notice', text }),
  });
  device.on('notice', text => output.announce({ event: 'notice', text }));
  const closeBeacon = addBeacon(device, output);
  const sampler = addReadings(device);
  device.resource('system').capability('deviceInfo').set(machine.info);
  // The first round takes a second or two; what is read before its end is published at once.
  void sampler.start().then(() => {
    output.announce({ event: 'measured', attributes: countKnown(device) });
  });
  return {
    device,
    close: async () => {
      sampler.stop();
      closeBeacon();
      await device.close();
    },
  };
}

/** What each resource says of this machine. */
const MEASURED: Readonly<Record<string, readonly AnyCapability[]>> = {
  system: [deviceInfo, diagnostics, telemetry],
  network: [networkConfiguration],
  processor: [temperatureMeasurement],
  battery: [powerLevel, electricalMeasurement],
};

/** Attributes of this machine that have a value, as a guest of the network sees them. */
function countKnown(device: Device): number {
  let known = 0;
  for (const [id, capabilities] of Object.entries(MEASURED)) {
    if (!device.resourceIds.includes(id)) continue;
    for (const { name, attributes } of capabilities) {
      const values = device.resource(id).capability(name);
      for (const attribute of Object.values(attributes))
        if (attribute.minimumRole === 'guest' && values.get(attribute.name) !== null) known++;
    }
  }
  return known;
}

function addBeacon(device: Device, output: Output): () => void {
  const resource = device.addResource('beacon', [identify, onOff], { name: 'Beacon' });
  const beacon = new Beacon(
    {
      schedule,
      changed: state => {
        resource.onOff.set({ on: state.on });
        resource.identify.set({ identifying: state.identifying });
        output.announce({ event: 'beacon', ...state });
      },
      show: picture => output.draw({ ...picture, beep: picture.effect === 'beep' }),
    },
    resource.onOff.get('on') ?? false,
  );
  resource.onOff.handle({
    turnOn: ({ duration }) => beacon.turnOn(duration),
    turnOff: () => beacon.turnOff(),
    toggle: () => beacon.toggle(),
    refresh: () => resource.onOff.set({ on: beacon.state.on }),
  });
  resource.identify.handle({ identify: ({ duration, effect }) => beacon.identify(duration, effect) });
  beacon.identify(0);
  return () => beacon.close();
}

function addReadings(device: Device): Sampler {
  const system = device.addResource('system', [deviceInfo, diagnostics, telemetry], {
    name: 'This computer',
  });
  const network = device.addResource('network', [networkConfiguration], { name: 'Network link' });
  const recorder = new TelemetryRecorder(CHANNELS, FAST);
  const latest: Record<(typeof CHANNELS)[number]['id'], number | null> = {
    cpuLoad: null,
    memoryUsed: null,
    temperature: null,
    received: null,
    sent: null,
  };
  const troubleSince = new Map<string, number>();
  // These two are there as soon as their sensor has given a value, and stay.
  const addProcessor = () => {
    const added = device.addResource('processor', [temperatureMeasurement], { name: 'Processor' });
    added.temperatureMeasurement.handle({ refresh: () => sampler.readNow(['temperature']) });
    return added;
  };
  const addBattery = () => {
    const added = device.addResource('battery', [powerLevel, electricalMeasurement], { name: 'Battery' });
    const refresh = (): Promise<void> => sampler.readNow(['battery']);
    added.powerLevel.handle({ refresh });
    added.electricalMeasurement.handle({ refresh });
    return added;
  };
  let processor: ReturnType<typeof addProcessor> | undefined;
  let battery: ReturnType<typeof addBattery> | undefined;

  const sources = hostSources({
    cpu: reading => {
      latest.cpuLoad = reading.cpuLoad ?? null;
      system.diagnostics.set(reading);
    },
    memory: reading => {
      latest.memoryUsed = typeof reading.memoryUsed === 'bigint' ? Number(reading.memoryUsed) : null;
      system.diagnostics.set(reading);
    },
    traffic: reading => void Object.assign(latest, reading),
    disk: reading => system.diagnostics.set(reading),
    uptime: reading => system.deviceInfo.set(reading),
    network: reading => network.networkConfiguration.set(reading),
    temperature: reading => {
      latest.temperature = reading.processor.temperature ?? null;
      system.diagnostics.set(reading.board);
      if (latest.temperature !== null) processor ??= addProcessor();
      processor?.temperatureMeasurement.set(reading.processor);
    },
    battery: reading => {
      if (reading) battery ??= addBattery();
      battery?.powerLevel.set(reading?.power ?? { batteryLevel: null, charging: null });
      battery?.electricalMeasurement.set(reading?.electrical ?? { voltage: null });
    },
  });
  const sample = async (): Promise<void> => {
    for (const batch of recorder.record(Date.now(), latest)) system.telemetry.publish({ batch });
    system.telemetry.set({ buffered: recorder.buffered });
  };
  const sampler = new Sampler([...sources, { name: 'sample', every: FAST, read: sample }], {
    now: () => performance.now(),
    schedule,
    onTrouble: trouble => {
      const now = Date.now();
      for (const known of [...troubleSince.keys()])
        if (!trouble.some(({ source }) => source === known)) troubleSince.delete(known);
      const faults = trouble.map(({ source, code, text }) => {
        const since = troubleSince.get(source) ?? now;
        troubleSince.set(source, since);
        return { code, component: source, since, text };
      });
      system.diagnostics.set({ faults });
    },
  });
  system.diagnostics.set({ faults: [] });
  system.telemetry.set({ channels: [...recorder.channels] });
  system.telemetry.handle({
    subscribe: wish => ({ subscriptionId: refusing(() => recorder.subscribe(wish)) }),
    unsubscribe: ({ subscriptionId }) => {
      if (!recorder.unsubscribe(subscriptionId))
        throw new CommandRefused('notFound', `there is no subscription '${subscriptionId}'`);
    },
  });
  system.telemetry.answer({
    history: wish => ({ points: refusing(() => recorder.history(wish)) }),
  });
  return sampler;
}

function refusing<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof RangeError) throw new CommandRefused('notFound', error.message);
    throw error;
  }
}
