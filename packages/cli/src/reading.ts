import { standardRegistry, valueToJson, valueToText, type DataType } from '@coconet/capabilities';
import type { AttributeReport } from '@coconet/client-sdk';

/** The declared type of an attribute, where this program knows it. */
export function typeOf(capability: string, attribute: string): DataType | undefined {
  const attributes = standardRegistry.byName(capability)?.attributes;
  return attributes !== undefined && Object.hasOwn(attributes, attribute)
    ? attributes[attribute]?.type
    : undefined;
}

/** Whether an attribute is told when it happens, and never kept. */
export function isEvent(capability: string, attribute: string): boolean {
  const attributes = standardRegistry.byName(capability)?.attributes;
  return (
    attributes !== undefined &&
    Object.hasOwn(attributes, attribute) &&
    attributes[attribute]?.delivery === 'event'
  );
}

/** A value for people, with its unit; of an attribute that is not known here, as JSON. */
export function textOf(capability: string, attribute: string, value: unknown): string {
  const type = typeOf(capability, attribute);
  if (type !== undefined) return valueToText(type, value);
  return value === null || value === undefined ? '-' : JSON.stringify(valueToJson(value));
}

/** One value of an attribute, as `--json` shows it. */
export interface ReadingJson {
  readonly address: string;
  readonly capability: string;
  readonly instance?: string;
  readonly attribute: string;
  readonly value: unknown;
  readonly unit?: string;
  readonly fresh: boolean;
  readonly at: string | null;
}

/** A value with all that is known about it, for programs. */
export function readingJson(
  report: Pick<
    AttributeReport,
    'address' | 'capability' | 'instance' | 'attribute' | 'value' | 'fresh' | 'at'
  >,
): ReadingJson {
  const type = typeOf(report.capability, report.attribute);
  const unit = type !== undefined && 'unit' in type ? type.unit : undefined;
  return {
    address: report.address,
    capability: report.capability,
    ...(report.instance !== undefined && { instance: report.instance }),
    attribute: report.attribute,
    value: valueToJson(report.value),
    ...(unit !== undefined && { unit }),
    fresh: report.fresh,
    at: report.at?.toISOString() ?? null,
  };
}
