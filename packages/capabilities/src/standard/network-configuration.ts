import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { shape } from '../model/json-shape.js';
import { CAPABILITY_IDS } from './ids.js';

const ssid = t.string({ maxBytes: 32 });

/** The resource's own link to its network. */
export const networkConfiguration = defineCapability({
  id: CAPABILITY_IDS.networkConfiguration,
  name: 'networkConfiguration',
  title: 'The resource’s own link',
  revision: 1,
  tier: 'core',
  attributes: {
    rssi: { id: 1, type: t.int16({ unit: 'dBm' }) },
    signalLevel: { id: 2, type: t.uint8({ min: 0, max: 4, unit: 'bars' }) },
    networkName: { id: 3, type: t.string(), description: 'SSID or PAN name.' },
    linkType: {
      id: 4,
      type: t.enum(['wifi', 'ethernet', 'cellular', 'thread', 'zigbee', 'zwave', 'ble', 'other']),
    },
    channel: { id: 5, type: t.uint16() },
    addresses: {
      id: 6,
      type: t.array(t.string({ maxBytes: 64 }), { arrayLength: 32 }),
      minimumRole: 'admin',
      description: 'IPv4 and IPv6 addresses.',
    },
    security: { id: 7, type: t.enum(['open', 'wpa2', 'wpa3', 'other']) },
  },
  commands: {
    scanNetworks: {
      id: 8,
      idempotent: true,
      minimumRole: 'admin',
      response: {
        networks: t.json(
          shape.list(
            shape.record({
              ssid: shape.text(),
              rssi: shape.integer({ min: -0x8000, max: 0x7fff }),
              security: shape.oneOf(['open', 'wpa2', 'wpa3', 'other']),
              channel: shape.integer({ min: 0, max: 0xffff }),
            }),
          ),
        ),
      },
    },
    setWifi: {
      id: 9,
      parameters: {
        ssid,
        password: t.optional(t.string({ maxBytes: 64 })),
        security: t.optional(t.enum(['open', 'wpa2', 'wpa3', 'other'])),
      },
      idempotent: true,
      minimumRole: 'admin',
      description: 'Falls back to the old network if it fails.',
    },
    removeNetwork: { id: 10, parameters: { ssid }, idempotent: true, minimumRole: 'admin' },
  },
});
