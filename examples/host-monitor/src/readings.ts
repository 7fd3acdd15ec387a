import { isIP } from 'node:net';

import type {
  AttributeInputs,
  deviceInfo,
  diagnostics,
  electricalMeasurement,
  networkConfiguration,
  powerLevel,
  temperatureMeasurement,
} from '@coconet/capabilities';
import type { Systeminformation } from 'systeminformation';

/**
 * What systeminformation gives, without trust: its types promise numbers where machines without a sensor, containers and
 * virtual machines answer `null`, `NaN`, `0`, `-1`, an empty text, or nothing.
 */
export type Raw<T> = { readonly [K in keyof T]?: unknown } | null | undefined;

/** Everything the monitor publishes of a battery. */
export interface BatteryReading {
  readonly power: AttributeInputs<typeof powerLevel>;
  readonly electrical: AttributeInputs<typeof electricalMeasurement>;
}

/** Bytes a second over all interfaces but loopback; `null`: not known yet. */
export interface TrafficReading {
  readonly received: number | null;
  readonly sent: number | null;
}

/** A battery this full, on mains and not charging, is full: chargers stop a little below 100 %. */
const FULL = 98;
/** Below this a person should look for a charger, in %. */
const LOW = 20;
/** Below this the machine is about to stop, in %. */
const CRITICAL = 5;
/** No battery of a computer has more, in V. */
const MAX_VOLTAGE = 1_000;
/** Most addresses that `networkConfiguration.addresses` holds. */
const MAX_ADDRESSES = 32;
/** Hottest and coldest that a sensor inside a running computer can mean, in °C; others are its way to say "no reading". */
const TEMPERATURE_RANGE = [-50, 150] as const;

/** Load of all processors together. */
export const cpuReading = (
  load: Raw<Systeminformation.CurrentLoadData>,
): Pick<AttributeInputs<typeof diagnostics>, 'cpuLoad'> => {
  const percent = finite(load?.currentLoad, 0, 101);
  return { cpuLoad: percent === null ? null : tenths(Math.min(percent, 100)) };
};

/** Memory that programs hold, and memory that they could have: caches count as free. */
export const memoryReading = (
  memory: Raw<Systeminformation.MemData>,
): Pick<AttributeInputs<typeof diagnostics>, 'memoryUsed' | 'memoryFree'> => {
  const total = positive(memory?.total);
  const available =
    finite(memory?.available, 0, total ?? Infinity) ?? finite(memory?.free, 0, total ?? Infinity);
  return {
    memoryUsed: total === null || available === null ? null : whole64(total - available),
    memoryFree: available === null ? null : whole64(available),
  };
};

/** Space left where the system itself lives; without such a file system, on the largest that can be written. */
export function diskReading(
  disks: readonly Raw<Systeminformation.FsSizeData>[] | null | undefined,
): Pick<AttributeInputs<typeof diagnostics>, 'diskFree'> {
  const known = (disks ?? []).filter(disk => positive(disk?.size) !== null);
  const largestFirst = known
    .filter(disk => disk?.rw !== false)
    .sort((a, b) => (positive(b?.size) ?? 0) - (positive(a?.size) ?? 0));
  const system = known.find(disk => ['/', 'C:', 'C:\\'].includes(text(disk?.mount) ?? '')) ?? largestFirst[0];
  const free = finite(system?.available, 0);
  return { diskFree: free === null ? null : whole64(free) };
}

/** Temperature of the processor, and of the board where a sensor tells them apart. */
export function temperatureReading(temperature: Raw<Systeminformation.CpuTemperatureData>): {
  readonly processor: Pick<AttributeInputs<typeof temperatureMeasurement>, 'temperature'>;
  readonly board: Pick<AttributeInputs<typeof diagnostics>, 'temperature'>;
} {
  const processor = degrees(temperature?.main) ?? degrees(temperature?.max);
  return {
    processor: { temperature: processor },
    board: { temperature: degrees(temperature?.chipset) ?? processor },
  };
}

/** Seconds since the machine started. */
export const uptimeReading = (
  time: Raw<Systeminformation.TimeData>,
): Pick<AttributeInputs<typeof deviceInfo>, 'uptime'> => {
  const seconds = finite(time?.uptime, 0);
  return { uptime: seconds === null ? null : whole64(seconds) };
};

/** What the machine is: the board and the processor as hardware, the operating system as firmware. */
export function machineReading(machine: {
  readonly system: Raw<Systeminformation.SystemData>;
  readonly cpu: Raw<Systeminformation.CpuData>;
  readonly os: Raw<Systeminformation.OsData>;
}): Pick<AttributeInputs<typeof deviceInfo>, 'hardwareVersion' | 'firmwareVersion'> {
  const { system, cpu, os } = machine;
  const cores = positive(cpu?.cores);
  const processor = words(cpu?.manufacturer, cpu?.brand);
  const hardware = [
    words(system?.manufacturer, system?.model, system?.version),
    processor === null || cores === null
      ? processor
      : `${processor} (${cores} ${cores === 1 ? 'core' : 'cores'})`,
  ].filter(part => part !== null);
  const kernel = text(os?.kernel);
  const firmware = [words(os?.distro, os?.release), kernel === null ? null : `kernel ${kernel}`].filter(
    part => part !== null,
  );
  return { hardwareVersion: joined(hardware), firmwareVersion: joined(firmware) };
}

/** The machine's battery; `undefined` where there is none. */
export function batteryReading(battery: Raw<Systeminformation.BatteryData>): BatteryReading | undefined {
  if (battery?.hasBattery !== true) return undefined;
  const percent = finite(battery.percent, 0, 100);
  const voltage = finite(battery.voltage, Number.MIN_VALUE, MAX_VOLTAGE);
  const minutes = positive(battery.timeRemaining);
  const mains = typeof battery.acConnected === 'boolean' ? battery.acConnected : null;
  return {
    power: {
      batteryLevel: percent,
      batteryVoltage: voltage,
      levelLow: percent === null ? null : percent < LOW,
      levelCritical: percent === null ? null : percent < CRITICAL,
      charging: chargingOf(battery.isCharging, mains, percent),
      timeRemaining: minutes === null ? null : Math.min(Math.round(minutes * 60), 0xffff_ffff),
      externalPower: mains,
    },
    electrical: { voltage },
  };
}

/** The link that leads out of this machine. */
export function networkReading(
  interfaces: readonly Raw<Systeminformation.NetworkInterfacesData>[] | null | undefined,
  connections: readonly Raw<Systeminformation.WifiConnectionData>[] | null | undefined = [],
): AttributeInputs<typeof networkConfiguration> {
  const outer = (interfaces ?? []).filter(link => link?.internal === false);
  const main =
    outer.find(link => link?.default === true) ??
    outer.find(link => link?.operstate === 'up' && text(link.ip4) !== null) ??
    outer.find(link => text(link?.ip4) !== null || text(link?.ip6) !== null);
  const addresses = outer
    .flatMap(link => [text(link?.ip4), text(link?.ip6)])
    .filter(address => address !== null)
    .filter(address => isIP(address) !== 0);
  const wifi = (connections ?? []).find(connection => text(connection?.iface) === text(main?.iface));
  const rssi = main && wifi ? finite(wifi.signalLevel, -200, -1) : null;
  return {
    linkType: main ? linkTypeOf(main) : null,
    addresses: [...new Set(addresses)].slice(0, MAX_ADDRESSES),
    networkName: main && wifi ? text(wifi.ssid) : null,
    rssi: rssi === null ? null : Math.round(rssi),
    signalLevel: rssi === null ? null : barsOf(rssi),
    channel: main && wifi ? whole(wifi.channel, 1, 0xffff) : null,
    security: main && wifi ? securityOf(wifi.security) : null,
  };
}

/** Whether any link is a radio: only then its connection is worth a call. */
export const hasWifi = (
  interfaces: readonly Raw<Systeminformation.NetworkInterfacesData>[] | null | undefined,
): boolean => (interfaces ?? []).some(link => link?.type === 'wireless');

/** Traffic since the reading before; the first one has no rate. */
export function trafficReading(
  links: readonly Raw<Systeminformation.NetworkStatsData>[] | null | undefined,
): TrafficReading {
  const outer = (links ?? []).filter(link => !(text(link?.iface) ?? 'lo').startsWith('lo'));
  const sum = (rates: readonly (number | null)[]): number | null => {
    const known = rates.filter(rate => rate !== null);
    return known.length === 0 ? null : Math.round(known.reduce((total, rate) => total + rate, 0));
  };
  return {
    received: sum(outer.map(link => finite(link?.rx_sec, 0))),
    sent: sum(outer.map(link => finite(link?.tx_sec, 0))),
  };
}

/** A number in the range, or `null`: texts with a number in them count, as some platforms give those. */
function finite(value: unknown, min: number, max = Infinity): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= min && number <= max
    ? number
    : null;
}

const positive = (value: unknown): number | null => finite(value, Number.MIN_VALUE);

const whole = (value: unknown, min: number, max: number): number | null => {
  const number = finite(value, min, max);
  return number === null ? null : Math.round(number);
};

/** A whole number of bytes or seconds; beyond what a number can count nothing is a size. */
const whole64 = (value: number): bigint => BigInt(Math.floor(Math.min(value, Number.MAX_SAFE_INTEGER)));

const tenths = (value: number): number => Math.round(value * 10) / 10;

const degrees = (value: unknown): number | null => {
  const [min, max] = TEMPERATURE_RANGE;
  // 0 and -1 are what drivers without a sensor give; a running processor is never that cold.
  const celsius = value === 0 || value === -1 ? null : finite(value, min, max);
  return celsius === null ? null : tenths(celsius);
};

/** What firmware writes where a maker filled nothing in. */
const NOTHING = new Set([
  '',
  '-',
  '--',
  'none',
  'unknown',
  'n/a',
  'not specified',
  'default string',
  'to be filled by o.e.m.',
]);

function text(value: unknown): string | null {
  const trimmed = typeof value === 'string' ? value.trim() : '';
  return NOTHING.has(trimmed.toLowerCase()) ? null : trimmed;
}

const words = (...parts: readonly unknown[]): string | null => {
  const known = parts.map(text).filter(part => part !== null);
  return known.length === 0 ? null : [...new Set(known)].join(' ');
};

const joined = (parts: readonly string[]): string | null => (parts.length === 0 ? null : parts.join(', '));

type Charging = NonNullable<AttributeInputs<typeof powerLevel>['charging']>;

function chargingOf(isCharging: unknown, mains: boolean | null, percent: number | null): Charging {
  if (isCharging === true) return 'charging';
  if (mains === true && percent !== null && percent >= FULL) return 'full';
  return isCharging === false ? 'notCharging' : 'unknown';
}

type LinkType = NonNullable<AttributeInputs<typeof networkConfiguration>['linkType']>;

function linkTypeOf(link: NonNullable<Raw<Systeminformation.NetworkInterfacesData>>): LinkType {
  if (link.type === 'wireless') return 'wifi';
  if ((text(link.iface) ?? '').startsWith('wwan')) return 'cellular';
  return link.type === 'wired' ? 'ethernet' : 'other';
}

/** Bars as phones draw them: a strong signal is near −50 dBm, the last usable one near −85 dBm. */
const barsOf = (rssi: number): number => [-85, -75, -65, -55].filter(limit => rssi >= limit).length;

type Security = NonNullable<AttributeInputs<typeof networkConfiguration>['security']>;

function securityOf(security: unknown): Security | null {
  const kinds = (Array.isArray(security) ? security : [security]).filter(word => typeof word === 'string');
  const said = kinds.join(' ').toLowerCase();
  if (said === '') return null;
  if (/wpa3|sae/.test(said)) return 'wpa3';
  if (/wpa2|wpa-psk|rsn/.test(said)) return 'wpa2';
  return /^(none|open|--)$/.test(said) ? 'open' : 'other';
}
