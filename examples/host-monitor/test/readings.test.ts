import {
  deviceInfo,
  diagnostics,
  electricalMeasurement,
  encodeValue,
  networkConfiguration,
  powerLevel,
  temperatureMeasurement,
  type AnyCapability,
} from '@coconet/capabilities';
import test from 'ava';
import fc from 'fast-check';

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
} from '../src/readings.js';
import { BARE_CONTAINER, LAPTOP, VIRTUAL_MACHINE } from './samples.js';

test('a virtual machine has load, memory, disk, uptime and a name', t => {
  const { load, memory, disks, time, system, cpu, os } = VIRTUAL_MACHINE;

  t.deepEqual(cpuReading(load), { cpuLoad: 1.9 });
  t.deepEqual(memoryReading(memory), { memoryUsed: 577339392n, memoryFree: 24699170816n });
  t.deepEqual(diskReading(disks), { diskFree: 84687765504n });
  t.deepEqual(uptimeReading(time), { uptime: 5762n });
  t.deepEqual(machineReading({ system, cpu, os }), {
    hardwareVersion: 'Docker Container, AMD EPYC (2 cores)',
    firmwareVersion: 'Debian GNU/Linux 12, kernel 6.18.44',
  });
});

test('a machine without sensors and battery has no values for them', t => {
  const { temperature, battery } = VIRTUAL_MACHINE;

  t.deepEqual(temperatureReading(temperature), {
    processor: { temperature: null },
    board: { temperature: null },
  });
  t.is(batteryReading(battery), undefined);
});

test('a wired machine tells its link and its addresses', t => {
  t.deepEqual(networkReading(VIRTUAL_MACHINE.interfaces), {
    linkType: 'ethernet',
    addresses: ['192.0.2.2', 'fd00::2'],
    networkName: null,
    rssi: null,
    signalLevel: null,
    channel: null,
    security: null,
  });
  t.false(hasWifi(VIRTUAL_MACHINE.interfaces));
});

test('a laptop on its battery tells how full it is and how long that lasts', t => {
  t.deepEqual(batteryReading(LAPTOP.battery), {
    power: {
      batteryLevel: 17,
      batteryVoltage: 11.714,
      levelLow: true,
      levelCritical: false,
      charging: 'notCharging',
      timeRemaining: 2520,
      externalPower: false,
    },
    electrical: { voltage: 11.714 },
  });
});

test('a full battery on mains is full, one that is charged is charging', t => {
  const full = batteryReading({ hasBattery: true, isCharging: false, acConnected: true, percent: 99 });
  const charging = batteryReading({ hasBattery: true, isCharging: true, acConnected: true, percent: 99 });

  t.is(full?.power.charging, 'full');
  t.is(charging?.power.charging, 'charging');
});

test('a battery that tells nothing is there, without values', t => {
  const reading = batteryReading({ hasBattery: true, percent: NaN, voltage: '', timeRemaining: -1 });

  t.deepEqual(reading, {
    power: {
      batteryLevel: null,
      batteryVoltage: null,
      levelLow: null,
      levelCritical: null,
      charging: 'unknown',
      timeRemaining: null,
      externalPower: null,
    },
    electrical: { voltage: null },
  });
});

test('sensors of processor and board are told apart', t => {
  t.deepEqual(temperatureReading(LAPTOP.temperature), {
    processor: { temperature: 54.3 },
    board: { temperature: 41 },
  });
});

test('a radio link has its network, strength, channel and lock, whether given as number or text', t => {
  t.deepEqual(networkReading(LAPTOP.interfaces, LAPTOP.connections), {
    linkType: 'wifi',
    addresses: ['172.17.0.1', '192.168.1.23', 'fe80::1'],
    networkName: 'Attic',
    rssi: -61,
    signalLevel: 3,
    channel: 44,
    security: 'wpa3',
  });
  t.true(hasWifi(LAPTOP.interfaces));
});

test('the link is the default one, else one that is up, else one with an address', t => {
  const wired = { iface: 'eth1', internal: false, type: 'wired', ip4: '10.0.0.2', operstate: 'up' };
  const modem = { iface: 'wwan0', internal: false, type: 'other', ip4: '10.9.9.9', operstate: 'unknown' };

  t.is(networkReading([modem, wired]).linkType, 'ethernet');
  t.is(networkReading([{ ...modem, default: true }, wired]).linkType, 'cellular');
  t.is(networkReading([modem]).linkType, 'cellular');
});

test('the disk is the one the system lives on, else the largest that can be written', t => {
  const image = { mount: '/snap/core', size: 900, available: 0, rw: false };
  const data = { mount: '/data', size: 500, available: 200, rw: true };

  t.deepEqual(diskReading(LAPTOP.disks), { diskFree: 123456789504n });
  t.deepEqual(diskReading([image, data]), { diskFree: 200n });
});

test('traffic is summed over all links but loopback, and unknown before the second reading', t => {
  t.deepEqual(trafficReading(LAPTOP.traffic), { received: 1200, sent: 300 });
  t.deepEqual(trafficReading(VIRTUAL_MACHINE.traffic), { received: null, sent: null });
});

test('a bare container gives nulls, never NaN and never an error', t => {
  const { load, memory, disks, temperature, battery, interfaces, traffic, time, system, cpu, os } =
    BARE_CONTAINER;

  t.deepEqual(cpuReading(load), { cpuLoad: null });
  t.deepEqual(memoryReading(memory), { memoryUsed: null, memoryFree: 0n });
  t.deepEqual(diskReading(disks), { diskFree: null });
  t.is(temperatureReading(temperature).processor.temperature, null);
  t.is(batteryReading(battery), undefined);
  t.is(networkReading(interfaces).linkType, null);
  t.deepEqual(networkReading(interfaces).addresses, []);
  t.deepEqual(trafficReading(traffic), { received: null, sent: null });
  t.deepEqual(uptimeReading(time), { uptime: null });
  t.deepEqual(machineReading({ system, cpu, os }), { hardwareVersion: null, firmwareVersion: null });
});

test('nothing at all is as good as nulls', t => {
  t.deepEqual(cpuReading(undefined), { cpuLoad: null });
  t.deepEqual(memoryReading(null), { memoryUsed: null, memoryFree: null });
  t.deepEqual(diskReading(undefined), { diskFree: null });
  t.is(batteryReading(undefined), undefined);
  t.deepEqual(networkReading(null, undefined).addresses, []);
  t.deepEqual(trafficReading(null), { received: null, sent: null });
});

function assertPublishable(definition: AnyCapability, values: object): void {
  for (const [name, value] of Object.entries(values)) {
    const attribute = definition.attributes[name];
    if (attribute === undefined) throw new Error(`${definition.name} has no attribute ${name}`);
    // `undefined` and a wrong value throw: that is the test.
    if (value !== null) encodeValue(attribute.type, value, { capability: definition.name, member: name });
  }
}

test('whatever a machine answers, each reading can be published', t => {
  const odd = fc.oneof(
    fc.constantFrom(null, undefined, NaN, Infinity, -1, 0, '', ' ', '12', 'unknown', true, false, 'wireless'),
    fc.double(),
    fc.string(),
    fc.array(fc.string()),
  );
  const record = (...names: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
    fc.record(Object.fromEntries(names.map(name => [name, odd])), { requiredKeys: [] });
  const machine = fc.record({
    load: record('currentLoad'),
    memory: record('total', 'free', 'available'),
    disks: fc.array(record('mount', 'size', 'available', 'rw')),
    temperature: record('main', 'max', 'chipset'),
    battery: record('isCharging', 'percent', 'voltage', 'timeRemaining', 'acConnected'),
    interfaces: fc.array(record('iface', 'default', 'ip4', 'ip6', 'internal', 'operstate', 'type')),
    connections: fc.array(record('iface', 'ssid', 'channel', 'signalLevel', 'security')),
    time: record('uptime'),
    names: record('manufacturer', 'model', 'version', 'brand', 'cores', 'distro', 'release', 'kernel'),
  });

  fc.assert(
    fc.property(
      machine,
      ({ load, memory, disks, temperature, battery, interfaces, connections, time, names }) => {
        const temperatures = temperatureReading(temperature);
        const reading = batteryReading({ ...battery, hasBattery: true });
        assertPublishable(diagnostics, {
          ...cpuReading(load),
          ...memoryReading(memory),
          ...diskReading(disks),
          ...temperatures.board,
        });
        assertPublishable(temperatureMeasurement, temperatures.processor);
        assertPublishable(powerLevel, reading?.power ?? {});
        assertPublishable(electricalMeasurement, reading?.electrical ?? {});
        assertPublishable(deviceInfo, {
          ...uptimeReading(time),
          ...machineReading({ system: names, cpu: names, os: names }),
        });
        assertPublishable(networkConfiguration, networkReading(interfaces, connections));
      },
    ),
  );
  t.pass();
});
