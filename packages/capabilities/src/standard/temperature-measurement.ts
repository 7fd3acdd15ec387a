import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { CAPABILITY_IDS } from './ids.js';

/** Temperature of air, water or things. */
export const temperatureMeasurement = defineCapability({
  id: CAPABILITY_IDS.temperatureMeasurement,
  name: 'temperatureMeasurement',
  title: 'Temperature measurement',
  revision: 1,
  tier: 'core',
  refresh: true,
  attributes: {
    temperature: { id: 1, type: t.float64({ min: -273.15, unit: '°C' }) },
    offset: { id: 2, type: t.float32({ unit: 'K' }), writable: true, description: 'Calibration.' },
  },
});
