import { defineCapability } from '../define.js';
import { t } from '../model/data-type.js';
import { CAPABILITY_IDS } from './ids.js';

/** Relative humidity. */
export const humidityMeasurement = defineCapability({
  id: CAPABILITY_IDS.humidityMeasurement,
  name: 'humidityMeasurement',
  title: 'Humidity measurement',
  revision: 1,
  tier: 'core',
  refresh: true,
  attributes: {
    relativeHumidity: { id: 1, type: t.float64({ min: 0, max: 100, unit: '%' }) },
  },
});
