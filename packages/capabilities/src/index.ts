export { CAPABILITY_ERROR_CODES, CapabilityError } from './errors.js';
export type { CapabilityErrorCode, CapabilityErrorDetails } from './errors.js';
export type { Decoded, Refused } from './result.js';
export { STATUS_CODES, STATUS_NUMBERS, isSuccess, isTerminal, statusOfNumber } from './status.js';
export type { StatusCode } from './status.js';
export { nearestName, suggestion } from './nearest.js';

export { defineCapability } from './define.js';
export { CapabilityRegistry } from './registry.js';
export { attributeOf, commandOf, infoRequestOf } from './lookup.js';

export type { AttributeDefinition, AttributeSpec, Delivery } from './model/attribute.js';
export { narrowed } from './model/bounds.js';
export type { Bounds } from './model/bounds.js';
export type {
  AnyCapability,
  AttributeInputs,
  AttributeName,
  AttributeSpecs,
  AttributeValues,
  CapabilityDefinition,
  CapabilityId,
  CapabilitySpec,
  CommandName,
  CommandParameters,
  CommandResponse,
  CommandResponseInput,
  CommandSpecs,
  InfoRequestName,
  InfoRequestParameters,
  InfoRequestSpecs,
  InfoResponse,
  InfoResponseInput,
  Tier,
  WritableInputs,
  WritableName,
} from './model/capability.js';
export { FIRST_COMMAND_ID, IMPLICIT_COMMANDS } from './model/command.js';
export type {
  CommandDefinition,
  CommandSpec,
  ImplicitCommandName,
  ParametersOf,
  ResponseOf,
} from './model/command.js';
export { t } from './model/data-type.js';
export type {
  ArrayType,
  BigintKind,
  BigintOptions,
  BigintType,
  BoolType,
  BytesType,
  DataType,
  EnumType,
  InputOf,
  JsonType,
  JsonValue,
  NumberKind,
  NumberOptions,
  NumberType,
  OptionalType,
  ScalarType,
  StringType,
  TimestampType,
  ValueOf,
} from './model/data-type.js';
export { POWER_SOURCES, PROTOCOLS, RECEIVER_TYPES } from './model/device.js';
export type { PowerSource, Protocol, ReceiverType } from './model/device.js';
export { fieldsOf } from './model/field.js';
export type { Field, FieldSpecs, FieldsInput, FieldsValue, NoFields } from './model/field.js';
export type { InfoRequestDefinition, InfoRequestSpec } from './model/info-request.js';
export { shape } from './model/json-shape.js';
export type {
  AnyShape,
  BooleanShape,
  JsonShape,
  JsonShapeFields,
  ListShape,
  NumberShape,
  OneOfShape,
  OptionalShape,
  RecordShape,
  ShapeOf,
  Strictness,
  TextShape,
} from './model/json-shape.js';
export * from './model/limits.js';
export type {
  ByName,
  CallArguments,
  ClientCapability,
  ClientView,
  CommandCalls,
  CommandHandlers,
  DeviceCapability,
  DeviceView,
  InfoRequestCalls,
  InfoRequestHandlers,
  Reading,
  WriteHandler,
} from './model/resource.js';
export { ROLES, roleSuffices } from './model/role.js';
export type { Role } from './model/role.js';
export { sameValue } from './model/same-value.js';
export { rangeOf, showValue, valueProblem } from './model/value-check.js';
export type { ValueProblem } from './model/value-check.js';

export {
  decodeAnswer,
  decodeParameters,
  decodeQuestion,
  decodeRefresh,
  decodeResponse,
  decodeWrite,
  encodeAnswer,
  encodeParameters,
  encodeQuestion,
  encodeRefresh,
  encodeResponse,
  encodeWrite,
} from './codec/command-codec.js';
export type { DecodedFields } from './codec/field-codec.js';
export { INCARNATION_BYTES } from './codec/layout.js';
export { MESSAGE_NUMBERS, decodeMessage, encodeMessage, isClientMessage } from './codec/message-codec.js';
export type * from './codec/messages.js';
export { pack, unpack, weigh } from './codec/msgpack.js';
export type { Weight, WireValue } from './codec/msgpack.js';
export { decodeEntry, encodeEntry } from './codec/report-codec.js';
export type { AttributeReading, ReadEntry } from './codec/report-codec.js';
export { splitDescription, splitReport } from './codec/split.js';
export { decodeValue, encodeValue } from './codec/value-codec.js';
export type { Place } from './codec/value-codec.js';

export {
  initialReportState,
  nextDeadline,
  onReading,
  onSnapshot,
  onTime,
  reportRule,
} from './reporting/report-policy.js';
export type {
  AttributeReport,
  AttributeUpdate,
  ReportRule,
  ReportState,
  ReportStep,
  SubscriptionIntervals,
} from './reporting/report-policy.js';

export { fieldsFromJson, fieldsToJson, valueFromJson, valueToJson } from './text/json-value.js';
export { fieldsFromText, valueFromText, valueToText } from './text/text-value.js';

export { deviceInfo } from './standard/device-info.js';
export { diagnostics } from './standard/diagnostics.js';
export { electricalMeasurement } from './standard/electrical-measurement.js';
export { humidityMeasurement } from './standard/humidity-measurement.js';
export { CAPABILITY_IDS } from './standard/ids.js';
export { identify } from './standard/identify.js';
export { level } from './standard/level.js';
export { networkConfiguration } from './standard/network-configuration.js';
export { onOff } from './standard/on-off.js';
export { powerLevel } from './standard/power-level.js';
export { STANDARD_CAPABILITIES, standardRegistry } from './standard/registry.js';
export { telemetry } from './standard/telemetry.js';
export { temperatureMeasurement } from './standard/temperature-measurement.js';
