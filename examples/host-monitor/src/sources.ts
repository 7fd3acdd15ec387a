import { statfs } from 'node:fs/promises';

import {
  battery,
  cpu,
  cpuTemperature,
  currentLoad,
  fsSize,
  mem,
  networkInterfaces,
  networkStats,
  osInfo,
  system,
  time,
  wifiConnections,
} from 'systeminformation';

import {
  batteryReading,
  cpuReading,
  diskReading,
  hasWifi,
  machineReading,
  memoryReading,
  networkReading,
  temperatureReading,
  trafficReading,
  uptimeReading,
  type BatteryReading,
  type TrafficReading,
} from './readings.js';
import type { Source } from './sampler.js';

/** Where the readings go; each as soon as it is there. */
export interface Sinks {
  readonly cpu: (reading: ReturnType<typeof cpuReading>) => void;
  readonly memory: (reading: ReturnType<typeof memoryReading>) => void;
  readonly traffic: (reading: TrafficReading) => void;
  readonly disk: (reading: ReturnType<typeof diskReading>) => void;
  readonly temperature: (reading: ReturnType<typeof temperatureReading>) => void;
  readonly uptime: (reading: ReturnType<typeof uptimeReading>) => void;
  readonly network: (reading: ReturnType<typeof networkReading>) => void;
  readonly battery: (reading: BatteryReading | undefined) => void;
}

/** What moves fast and costs one small file to read, in ms. */
export const FAST = 2_000;
/** What moves slowly, in ms. */
const STEADY = 5_000;
/** What starts a program of the system, in ms. */
const SLOW = 30_000;

/** Everything that systeminformation is asked again and again, and how often. */
export const hostSources = (sinks: Sinks): readonly Source[] => [
  { name: 'cpu', every: FAST, read: async () => sinks.cpu(cpuReading(await currentLoad())) },
  { name: 'memory', every: FAST, read: async () => sinks.memory(memoryReading(await mem())) },
  { name: 'traffic', every: FAST, read: async () => sinks.traffic(trafficReading(await networkStats('*'))) },
  { name: 'uptime', every: STEADY, read: async () => sinks.uptime(uptimeReading(time())) },
  {
    name: 'temperature',
    every: STEADY,
    read: async () => sinks.temperature(temperatureReading(await cpuTemperature())),
  },
  { name: 'disk', every: SLOW, read: async () => sinks.disk(await readDisk()) },
  {
    name: 'network',
    every: SLOW,
    read: async () => {
      const found = await networkInterfaces();
      const interfaces = Array.isArray(found) ? found : [found];
      sinks.network(networkReading(interfaces, hasWifi(interfaces) ? await wifiConnections() : []));
    },
  },
  { name: 'battery', every: SLOW, read: async () => sinks.battery(batteryReading(await battery())) },
];

/** What the machine is made of: read once, it does not change under a running program. */
export interface Machine {
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly info: ReturnType<typeof machineReading>;
}

/** Asks what the machine is. What cannot be read is left out. */
export async function readMachine(): Promise<Machine> {
  const board = await system().catch(() => undefined);
  const processor = await cpu().catch(() => undefined);
  const os = await osInfo().catch(() => undefined);
  return {
    manufacturer: board?.manufacturer.trim() || undefined,
    model: board?.model.trim() || undefined,
    info: machineReading({ system: board, cpu: processor, os }),
  };
}

async function readDisk(): Promise<ReturnType<typeof diskReading>> {
  const reading = diskReading(await fsSize());
  if (reading.diskFree !== null || process.platform === 'win32') return reading;
  // Small containers have no `df`, which is what fsSize asks.
  const { bavail, blocks, bsize } = await statfs('/');
  return diskReading([{ mount: '/', size: blocks * bsize, available: bavail * bsize }]);
}
