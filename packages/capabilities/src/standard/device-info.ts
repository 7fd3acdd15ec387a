import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { shape } from '../model/json-shape.js';
import { CAPABILITY_IDS } from './ids.js';

/** What the device is made of and how it is doing since it started. */
export const deviceInfo = defineCapability({
  id: CAPABILITY_IDS.deviceInfo,
  name: 'deviceInfo',
  title: 'Device information',
  revision: 1,
  tier: 'core',
  attributes: {
    hardwareVersion: { id: 1, type: t.string() },
    firmwareVersion: { id: 2, type: t.string() },
    sdkVersion: { id: 3, type: t.string() },
    uptime: { id: 4, type: t.uint64({ unit: 's' }) },
    bootReason: {
      id: 5,
      type: t.enum([
        'powerOn',
        'brownOut',
        'watchdog',
        'hardwareWatchdog',
        'firmwareUpdate',
        'reset',
        'crash',
        'unknown',
      ]),
    },
    rebootCount: { id: 6, type: t.uint32(), persist: true },
    labels: {
      id: 7,
      type: t.json(shape.list(shape.record({ key: shape.text(), value: shape.text() }))),
      writable: true,
      description: 'User labels.',
    },
  },
});
