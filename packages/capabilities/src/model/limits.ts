/** Longest capability service message, in bytes: what one message of the cluster protocol carries. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** Deepest nesting of arrays and maps in a message; recursion in any decoder stays shallow. */
export const MAX_DEPTH = 32;

/** Deepest nesting of a json value: what remains of {@link MAX_DEPTH} inside the deepest message around it. */
export const MAX_JSON_DEPTH = 24;

/** Most values of any kind in one message, so that 64 KiB of bytes cannot become megabytes of objects. */
export const MAX_ELEMENTS = 32_768;

/** Most arrays and maps in one message; each costs some 50 bytes of memory however little it costs on the wire. */
export const MAX_CONTAINERS = 8_192;

/** Most maps in one message; each costs some 300 bytes of memory. */
export const MAX_MAPS = 2_048;

/** Longest string where the definition states nothing else, in bytes of UTF-8 (catalogue, section 1.1). */
export const DEFAULT_MAX_STRING_BYTES = 4_096;

/** Longest byte string and longest encoded json value: half a message, so that its envelope always fits beside it. */
export const MAX_VALUE_BYTES = 32 * 1024;

/** Most elements of one array attribute, whatever its definition says. */
export const MAX_ARRAY_LENGTH = 4_096;

/** Longest resource id, instance label, name and vendor capability id, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 128;

/** Target size of each part when a snapshot or description is split: leaves room for what the transport adds. */
export const MAX_PART_BYTES = 60 * 1024;
