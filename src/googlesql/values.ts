import { fromBytes, scaled, scales, toBytes, unscaled } from './decimal.ts'
import { elementOf, type Field, type Value } from './field.ts'
import { dateOf, datetimeOf, daysOf, floorMod, microsOf, microsOfTime, timeOf } from './time.ts'

/** A value as the evaluator's protos write it; no field at all is NULL. */
export type ProtoValue = { readonly [field: string]: unknown }

/** Writes a value for the evaluator. Throws RangeError for a value that is none of its type. */
export function toProto(value: Value, field: Field): ProtoValue {
  if (field.mode === 'REPEATED') {
    const element = elementOf(field)
    return { arrayValue: { element: ((value ?? []) as readonly Value[]).map(each => toProto(each, element)) } }
  }
  if (value === null || value === undefined) return {}
  switch (field.type) {
    case 'STRING':
      return { stringValue: String(value) }
    case 'JSON':
      return { jsonValue: String(value) }
    case 'BYTES':
      return { bytesValue: value as Uint8Array }
    case 'INT64':
      return { int64Value: String(value) }
    case 'FLOAT64':
      return { doubleValue: Number(value) }
    case 'BOOL':
      return { boolValue: Boolean(value) }
    case 'NUMERIC':
      return { numericValue: toBytes(scaled(String(value), scales.NUMERIC)) }
    case 'BIGNUMERIC':
      return { bignumericValue: toBytes(scaled(String(value), scales.BIGNUMERIC)) }
    case 'DATE':
      return { dateValue: daysOf(String(value)) }
    case 'TIMESTAMP':
      return { timestampValue: secondsAndNanos(microsOf(String(value))) }
    case 'DATETIME':
      return { datetimeValue: packDatetime(microsOf(String(value))) }
    case 'TIME':
      return { timeValue: packTime(microsOfTime(String(value))).toString() }
    case 'RECORD': {
      const record = value as { readonly [name: string]: Value }
      return { structValue: { field: (field.fields ?? []).map(each => toProto(record[each.name] ?? null, each)) } }
    }
    case 'GEOGRAPHY':
      throw new RangeError("a GEOGRAPHY can't be given to the evaluator")
  }
}

/** Reads a value of the evaluator. A NULL array reads as an empty one, as BigQuery stores it. */
export function fromProto(proto: ProtoValue, field: Field): Value {
  if (field.mode === 'REPEATED') {
    const elements = (proto.arrayValue as { element?: ProtoValue[] } | undefined)?.element ?? []
    return elements.map(each => fromProto(each, elementOf(field)))
  }
  switch (proto.value) {
    case 'int64Value':
      return BigInt(String(proto.int64Value))
    case 'boolValue':
    case 'stringValue':
    case 'jsonValue':
    case 'doubleValue':
      return proto[proto.value] as Value
    case 'bytesValue':
      return new Uint8Array(proto.bytesValue as Buffer)
    case 'numericValue':
      return unscaled(fromBytes(proto.numericValue as Buffer), scales.NUMERIC)
    case 'bignumericValue':
      return unscaled(fromBytes(proto.bignumericValue as Buffer), scales.BIGNUMERIC)
    case 'dateValue':
      return dateOf(Number(proto.dateValue))
    case 'timestampValue': {
      const { seconds, nanos } = proto.timestampValue as { seconds?: string; nanos?: number }
      return `${datetimeOf(BigInt(seconds ?? 0) * 1_000_000n + BigInt(nanos ?? 0) / 1000n)}Z`
    }
    case 'datetimeValue':
      return unpackDatetime(proto.datetimeValue as { bitFieldDatetimeSeconds?: string; nanos?: number })
    case 'timeValue':
      return unpackTime(BigInt(String(proto.timeValue)))
    case 'structValue': {
      const cells = (proto.structValue as { field?: ProtoValue[] }).field ?? []
      return Object.fromEntries((field.fields ?? []).map((each, index) => [each.name, fromProto(cells[index] ?? {}, each)]))
    }
    default:
      return null
  }
}

function secondsAndNanos(micros: bigint): object {
  const fraction = floorMod(micros, 1_000_000n)
  return { seconds: ((micros - fraction) / 1_000_000n).toString(), nanos: Number(fraction) * 1000 }
}

// DATETIME is packed as year, month(4), day(5), hour(5), minute(6), second(6); TIME as hour(5), minute(6), second(6) and 30 bits of nanoseconds.
function packDatetime(micros: bigint): object {
  const text = datetimeOf(micros)
  const number = (from: number, to: number) => BigInt(text.slice(from, to))
  const seconds =
    (((((number(0, 4) << 4n) | number(5, 7)) << 5n) | number(8, 10)) << 17n) |
    (number(11, 13) << 12n) |
    (number(14, 16) << 6n) |
    number(17, 19)
  return { bitFieldDatetimeSeconds: seconds.toString(), nanos: Number(floorMod(micros, 1_000_000n)) * 1000 }
}

function unpackDatetime(packed: { bitFieldDatetimeSeconds?: string; nanos?: number }): string {
  const bits = BigInt(packed.bitFieldDatetimeSeconds ?? 0)
  const part = (shift: bigint, width: bigint, digits = 2) =>
    ((bits >> shift) & ((1n << width) - 1n)).toString().padStart(digits, '0')
  const micros = (packed.nanos ?? 0) / 1000
  const text = `${part(26n, 14n, 4)}-${part(22n, 4n)}-${part(17n, 5n)}T${part(12n, 5n)}:${part(6n, 6n)}:${part(0n, 6n)}`
  return micros === 0 ? text : `${text}.${String(micros).padStart(6, '0')}`
}

function packTime(micros: bigint): bigint {
  const seconds = micros / 1_000_000n
  const clock = ((seconds / 3600n) << 12n) | (((seconds / 60n) % 60n) << 6n) | (seconds % 60n)
  return (clock << 30n) | ((micros % 1_000_000n) * 1000n)
}

function unpackTime(packed: bigint): string {
  const clock = packed >> 30n
  const seconds = (clock >> 12n) * 3600n + ((clock >> 6n) & 63n) * 60n + (clock & 63n)
  return timeOf(seconds * 1_000_000n + (packed & ((1n << 30n) - 1n)) / 1000n)
}
