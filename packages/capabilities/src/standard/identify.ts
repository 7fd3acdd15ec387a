import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { CAPABILITY_IDS } from './ids.js';

/** Makes the thing noticeable to people near it. */
export const identify = defineCapability({
  id: CAPABILITY_IDS.identify,
  name: 'identify',
  title: 'Make the thing noticeable',
  revision: 1,
  tier: 'core',
  attributes: {
    identifying: { id: 1, type: t.bool() },
  },
  commands: {
    identify: {
      id: 8,
      parameters: {
        duration: t.uint32({ unit: 'ms' }),
        effect: t.optional(t.enum(['blink', 'breathe', 'beep', 'vibrate'])),
      },
      idempotent: true,
    },
  },
});
