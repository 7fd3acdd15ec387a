import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { shape } from '../model/json-shape.js';
import { CAPABILITY_IDS } from './ids.js';

const count = shape.integer({ min: 0 });

/** Health of the device and of its links. */
export const diagnostics = defineCapability({
  id: CAPABILITY_IDS.diagnostics,
  name: 'diagnostics',
  title: 'Diagnostics',
  revision: 1,
  tier: 'core',
  attributes: {
    cpuLoad: { id: 1, type: t.float32({ min: 0, max: 100, unit: '%' }) },
    memoryUsed: { id: 2, type: t.uint64({ unit: 'B' }) },
    memoryFree: { id: 3, type: t.uint64({ unit: 'B' }) },
    diskFree: { id: 4, type: t.uint64({ unit: 'B' }) },
    temperature: { id: 5, type: t.float32({ min: -273.15, unit: '°C' }), description: 'Of the board.' },
    faults: {
      id: 6,
      type: t.json(
        shape.list(
          shape.record({
            code: shape.text(),
            component: shape.text(),
            since: shape.integer(),
            text: shape.optional(shape.text()),
          }),
        ),
      ),
      alarm: true,
      description: 'What is wrong now; `since` in ms UTC.',
    },
    peers: {
      id: 7,
      type: t.json(
        shape.list(
          shape.record({
            nodeId: shape.integer({ min: 0, max: 0xffff_ffff }),
            path: shape.oneOf(['direct', 'peerRelay', 'relay']),
            rtt: shape.optional(shape.number({ min: 0 })),
            loss: shape.number({ min: 0, max: 100 }),
            txBytes: count,
            rxBytes: count,
            mtu: count,
          }),
        ),
      ),
      description: '`rtt` in ms, absent before the first measurement; `loss` in %, the rest in bytes.',
    },
    natType: {
      id: 8,
      type: t.enum([
        'none',
        'endpointIndependent',
        'addressDependent',
        'addressPortDependent',
        'blocked',
        'unknown',
      ]),
    },
  },
  commands: {
    selfTest: {
      id: 8,
      parameters: { name: t.optional(t.string({ maxBytes: 128 })) },
      response: {
        results: t.json(
          shape.list(
            shape.record({
              name: shape.text(),
              passed: shape.boolean(),
              message: shape.optional(shape.text()),
            }),
          ),
        ),
      },
      idempotent: true,
    },
    ping: {
      id: 9,
      parameters: {
        nodeId: t.uint32(),
        count: t.optional(t.uint8()),
        size: t.optional(t.uint16({ unit: 'B' })),
      },
      response: {
        rtt: t.array(t.float32({ min: 0, unit: 'ms' }), { arrayLength: 255 }),
        loss: t.float32({ min: 0, max: 100, unit: '%' }),
      },
      idempotent: true,
    },
    resetCounters: { id: 10, idempotent: true },
  },
  infoRequests: {
    report: {
      id: 1,
      parameters: { sections: t.optional(t.array(t.string({ maxBytes: 128 }), { arrayLength: 64 })) },
      response: { report: t.json(shape.any()) },
    },
  },
});
