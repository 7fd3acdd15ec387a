import { CapabilityRegistry } from '../registry.js';
import { deviceInfo } from './device-info.js';
import { diagnostics } from './diagnostics.js';
import { electricalMeasurement } from './electrical-measurement.js';
import { humidityMeasurement } from './humidity-measurement.js';
import { identify } from './identify.js';
import { level } from './level.js';
import { networkConfiguration } from './network-configuration.js';
import { onOff } from './on-off.js';
import { powerLevel } from './power-level.js';
import { telemetry } from './telemetry.js';
import { temperatureMeasurement } from './temperature-measurement.js';

/** All capabilities of the standard that are defined so far, in the order of their ids. */
export const STANDARD_CAPABILITIES = [
  onOff,
  level,
  temperatureMeasurement,
  humidityMeasurement,
  powerLevel,
  electricalMeasurement,
  networkConfiguration,
  identify,
  deviceInfo,
  diagnostics,
  telemetry,
] as const;

/** The standard, to look up by id or name; `standardRegistry.with(kettle)` knows a vendor's capability as well. */
export const standardRegistry: CapabilityRegistry = new CapabilityRegistry(STANDARD_CAPABILITIES);
