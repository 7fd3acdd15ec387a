/**
 * Makes a program a device of a Coconet network.
 *
 * @module
 */
export { createDevice } from './node-host.js';
export { Device } from './device.js';
export type { DeviceNetwork } from './device.js';
export type { DeviceSurroundings } from './opening.js';
export type { DeviceOptions } from './device-options.js';
export type { DeviceDetails } from './description.js';
export type { DeviceEvents, PeerNamed } from './device-events.js';
export type { DeviceResource, ResourceDetails, ResourceHandle, ResourceOptions } from './resource.js';
export type { AttributeLimits, CapabilityHandle } from './capability-handle.js';
export type { CommandContext, CommandSender } from './command-context.js';
export { CommandRefused, DEVICE_ERROR_CODES, DeviceError } from './errors.js';
export type { DeviceErrorCode, RefusalCode, RefusalDetails } from './errors.js';
