/** What systeminformation gave on real machines of several kinds, shortened to what is read of it. */

/** A virtual machine with Debian, two processors, no sensor, no battery. */
export const VIRTUAL_MACHINE = {
  load: { avgLoad: 1.16, currentLoad: 1.9417475728155338, currentLoadIdle: 98.05825242718447 },
  memory: {
    total: 25276510208,
    free: 24705921024,
    used: 570589184,
    active: 577339392,
    available: 24699170816,
  },
  disks: [
    {
      fs: '/dev/vda',
      type: 'ext4',
      size: 270553174016,
      used: 24256528384,
      available: 84687765504,
      mount: '/',
      rw: true,
    },
  ],
  temperature: { main: null, cores: [], max: null, socket: [], chipset: null },
  battery: {
    hasBattery: false,
    isCharging: false,
    voltage: 0,
    percent: 0,
    timeRemaining: null,
    acConnected: true,
  },
  interfaces: [
    {
      iface: 'lo',
      default: false,
      ip4: '127.0.0.1',
      ip6: '::1',
      internal: true,
      operstate: 'unknown',
      type: 'virtual',
    },
    {
      iface: 'eth0',
      default: true,
      ip4: '192.0.2.2',
      ip6: 'fd00::2',
      internal: false,
      operstate: 'up',
      type: 'wired',
    },
  ],
  traffic: [
    { iface: 'lo', rx_sec: 900, tx_sec: 900 },
    { iface: 'eth0', rx_sec: null, tx_sec: null, ms: 0 },
  ],
  time: { current: 1795239168008, uptime: 5762.51, timezone: 'UTC+0000' },
  system: { manufacturer: '', model: 'Docker Container', version: '', serial: '-', virtual: true },
  cpu: { manufacturer: 'AMD', brand: 'EPYC', vendor: 'AMD', cores: 2 },
  os: { platform: 'linux', distro: 'Debian GNU/Linux', release: '12', kernel: '6.18.44' },
};

/** A laptop on its battery, in a wireless network; numbers of the radio come as text. */
export const LAPTOP = {
  load: { currentLoad: 37.449999 },
  memory: { total: 16496009216, free: 1263022080, available: 9876543488 },
  disks: [
    {
      fs: '/dev/nvme0n1p1',
      type: 'vfat',
      size: 535805952,
      available: 499122176,
      mount: '/boot/efi',
      rw: true,
    },
    {
      fs: '/dev/nvme0n1p2',
      type: 'btrfs',
      size: 510905024512,
      available: 123456789504,
      mount: '/',
      rw: true,
    },
  ],
  temperature: { main: 54.25, cores: [53, 55], max: 55, socket: [], chipset: 41 },
  battery: {
    hasBattery: true,
    isCharging: false,
    voltage: 11.714,
    percent: 17,
    timeRemaining: 42,
    acConnected: false,
  },
  interfaces: [
    {
      iface: 'lo',
      default: false,
      ip4: '127.0.0.1',
      ip6: '::1',
      internal: true,
      operstate: 'unknown',
      type: 'virtual',
    },
    {
      iface: 'docker0',
      default: false,
      ip4: '172.17.0.1',
      ip6: '',
      internal: false,
      operstate: 'down',
      type: 'wired',
    },
    {
      iface: 'wlp2s0',
      default: true,
      ip4: '192.168.1.23',
      ip6: 'fe80::1',
      internal: false,
      operstate: 'up',
      type: 'wireless',
    },
  ],
  connections: [
    {
      iface: 'wlp2s0',
      ssid: 'Attic',
      channel: '44',
      signalLevel: '-61',
      quality: 78,
      security: ['WPA2', 'WPA3'],
    },
  ],
  traffic: [
    { iface: 'wlp2s0', rx_sec: 1200.4, tx_sec: 300 },
    { iface: 'docker0', rx_sec: 0, tx_sec: 0 },
  ],
};

/** A small container without /sys, without df, without a network: whatever was not there is missing, NaN or empty. */
export const BARE_CONTAINER = {
  load: { currentLoad: NaN },
  memory: { total: 0, free: 0, available: NaN },
  disks: [],
  temperature: { main: -1, max: NaN },
  battery: {},
  interfaces: [
    { iface: 'lo', ip4: '127.0.0.1', ip6: '', internal: true, operstate: 'unknown', type: 'virtual' },
  ],
  traffic: [],
  time: { uptime: NaN },
  system: { manufacturer: 'To Be Filled By O.E.M.', model: 'Not Specified', version: '-' },
  cpu: { manufacturer: '', brand: '', cores: 0 },
  os: { distro: 'unknown', release: '', kernel: '' },
};
