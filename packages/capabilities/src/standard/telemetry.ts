import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { shape } from '../model/json-shape.js';
import { CAPABILITY_IDS } from './ids.js';

const id = t.string({ maxBytes: 128 });

/** Time series out of the device. */
export const telemetry = defineCapability({
  id: CAPABILITY_IDS.telemetry,
  name: 'telemetry',
  title: 'Time series',
  revision: 1,
  tier: 'core',
  attributes: {
    channels: {
      id: 1,
      type: t.json(
        shape.list(
          shape.record({
            id: shape.text(),
            name: shape.text(),
            unit: shape.text(),
            type: shape.text(),
            rate: shape.number({ min: 0 }),
          }),
        ),
      ),
      description: '`rate` in Hz.',
    },
    batch: {
      id: 2,
      type: t.json(
        shape.record({
          channelId: shape.text(),
          start: shape.number(),
          interval: shape.number({ min: 0 }),
          values: shape.list(shape.any()),
        }),
      ),
      delivery: 'event',
      publishOnly: true,
      description: '`start` in ms UTC, `interval` in ms; a gap is null.',
    },
    buffered: { id: 3, type: t.uint32({ unit: 'samples' }), description: 'Kept while offline.' },
  },
  commands: {
    subscribe: {
      id: 8,
      parameters: {
        channels: t.array(id, { arrayLength: 256 }),
        maxRate: t.optional(t.float32({ min: 0, unit: 'Hz' })),
        batch: t.optional(t.uint32({ unit: 'ms' })),
        until: t.optional(t.timestamp()),
      },
      response: { subscriptionId: id },
    },
    unsubscribe: { id: 9, parameters: { subscriptionId: id }, idempotent: true },
  },
  infoRequests: {
    history: {
      id: 1,
      parameters: {
        channelId: id,
        from: t.timestamp(),
        to: t.timestamp(),
        maxPoints: t.optional(t.uint32()),
        aggregate: t.optional(t.enum(['none', 'mean', 'min', 'max', 'sum'])),
      },
      response: {
        points: t.json(shape.list(shape.record({ time: shape.number(), value: shape.any() }))),
      },
    },
  },
});
