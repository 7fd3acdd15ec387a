import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { CAPABILITY_IDS } from './ids.js';

/** On/off control: lamps, sockets, relays. */
export const onOff = defineCapability({
  id: CAPABILITY_IDS.onOff,
  name: 'onOff',
  title: 'On/off control',
  revision: 1,
  tier: 'core',
  refresh: true,
  attributes: {
    on: { id: 1, type: t.bool(), persist: true },
    startupBehavior: {
      id: 2,
      type: t.enum(['off', 'on', 'toggle', 'previous']),
      writable: true,
      description: 'State after power returns.',
    },
  },
  commands: {
    turnOn: {
      id: 8,
      parameters: { duration: t.optional(t.uint32({ unit: 'ms' })) },
      idempotent: true,
      description: 'Goes off by itself after `duration`.',
    },
    turnOff: { id: 9, idempotent: true },
    toggle: { id: 10 },
  },
});
