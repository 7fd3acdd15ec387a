import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { CAPABILITY_IDS } from './ids.js';

/** Voltage, current and power of one circuit; one instance per phase. */
export const electricalMeasurement = defineCapability({
  id: CAPABILITY_IDS.electricalMeasurement,
  name: 'electricalMeasurement',
  title: 'Electrical measurement',
  revision: 1,
  tier: 'core',
  refresh: true,
  attributes: {
    voltage: { id: 1, type: t.float32({ unit: 'V' }), description: 'RMS.' },
    current: { id: 2, type: t.float32({ unit: 'A' }), description: 'RMS.' },
    activePower: { id: 3, type: t.float32({ unit: 'W' }) },
    reactivePower: { id: 4, type: t.float32({ unit: 'var' }) },
    apparentPower: { id: 5, type: t.float32({ unit: 'VA' }) },
    powerFactor: { id: 6, type: t.float32({ min: -1, max: 1 }) },
    frequency: { id: 7, type: t.float32({ unit: 'Hz' }) },
    fault: {
      id: 8,
      type: t.enum([
        'none',
        'overVoltage',
        'underVoltage',
        'overCurrent',
        'residualCurrent',
        'overTemperature',
      ]),
      alarm: true,
    },
  },
});
