import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { CAPABILITY_IDS } from './ids.js';

/** Battery and supply. */
export const powerLevel = defineCapability({
  id: CAPABILITY_IDS.powerLevel,
  name: 'powerLevel',
  title: 'Battery and supply',
  revision: 1,
  tier: 'core',
  refresh: true,
  attributes: {
    batteryLevel: { id: 1, type: t.float64({ min: 0, max: 100, unit: '%' }) },
    batteryVoltage: { id: 2, type: t.float32({ unit: 'V' }) },
    voltageLow: { id: 3, type: t.bool(), alarm: true },
    levelLow: { id: 4, type: t.bool(), alarm: true },
    levelCritical: { id: 5, type: t.bool(), alarm: true },
    charging: { id: 6, type: t.enum(['notCharging', 'charging', 'full', 'fault', 'unknown']) },
    timeRemaining: { id: 7, type: t.uint32({ unit: 's' }) },
    replacementNeeded: { id: 8, type: t.bool() },
    externalPower: { id: 9, type: t.bool(), description: 'Mains present.' },
  },
});
