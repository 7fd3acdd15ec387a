import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { CAPABILITY_IDS } from './ids.js';

const percent = { min: 0, max: 100, unit: '%' } as const;

const transition = t.optional(t.uint32({ unit: 'ms' }));

/** Level control: dimmer, speed, volume. */
export const level = defineCapability({
  id: CAPABILITY_IDS.level,
  name: 'level',
  title: 'Level control (dimmer, speed, volume)',
  revision: 1,
  tier: 'core',
  refresh: true,
  attributes: {
    level: { id: 1, type: t.float32(percent) },
    minLevel: { id: 2, type: t.float32(percent), description: 'Lowest level that is still "on".' },
    remainingTransition: { id: 3, type: t.uint32({ unit: 'ms' }) },
    defaultTransition: {
      id: 4,
      type: t.uint32({ unit: 'ms' }),
      writable: true,
      description: 'Used if `transition` is absent.',
    },
    startupLevel: {
      id: 5,
      type: t.float32(percent),
      writable: true,
      description: 'Level after power returns; null is the previous one.',
    },
  },
  commands: {
    setLevel: {
      id: 8,
      parameters: { level: t.float32(percent), transition },
      idempotent: true,
      description: 'Does not change on/off.',
    },
    setLevelWithOnOff: {
      id: 9,
      parameters: { level: t.optional(t.float32(percent)), transition, restore: t.optional(t.bool()) },
      requireOneOf: ['level', 'restore'],
      idempotent: true,
      description:
        '0 turns off, more turns on; `restore` goes to the last level above 0, full if there is none.',
    },
    move: {
      id: 10,
      parameters: { direction: t.enum(['up', 'down']), rate: t.optional(t.float32({ min: 0, unit: '%/s' })) },
      idempotent: true,
      description: 'Until `stop` or the end of the range.',
    },
    step: { id: 11, parameters: { delta: t.float32({ min: -100, max: 100, unit: '%' }), transition } },
    stop: { id: 12, idempotent: true },
  },
});
