/** Where a device or resource gets its power from; the order is that of the wire. */
export const POWER_SOURCES = [
  'unknown',
  'mainsSinglePhase',
  'mainsThreePhase',
  'mainsUnknownPhase',
  'battery',
  'dc',
  'emergencyConstant',
  'emergencyTransferSwitch',
  'notAvailable',
] as const;

/** See {@link POWER_SOURCES}. */
export type PowerSource = (typeof POWER_SOURCES)[number];

/** When a device or resource listens: always, when it polls, or when somebody uses it. The order is that of the wire. */
export const RECEIVER_TYPES = ['unknown', 'alwaysOn', 'periodic', 'onStimulus', 'notAvailable'] as const;

/** See {@link RECEIVER_TYPES}. */
export type ReceiverType = (typeof RECEIVER_TYPES)[number];

/** What a device speaks to its resources; the order is that of the wire. */
export const PROTOCOLS = [
  'unknown',
  'ip',
  'zwave',
  'zigbee',
  'thread',
  'matter',
  'ble',
  'modbus',
  'cloudBridge',
  'virtual',
] as const;

/** See {@link PROTOCOLS}. */
export type Protocol = (typeof PROTOCOLS)[number];
