/**
 * One-dimensional arrays in Postgres' binary format. `pg` sends a Buffer parameter as binary: nothing is escaped, and a
 * record's bytes go to jsonb without ever having been a string.
 *   in    values of one column, null where there is none
 *   out   the parameter's bytes
 * Invariants (test/postgres/binary-array.test.ts, against a real server):
 *   A1 exact    what is encoded is what a SELECT of it gives back
 *   A2 refuses  a value that does not fit its type throws, rather than becoming another value
 * @see src/include/utils/array.h and array_recv: ndim, has-null, element type, (length, lower bound), (length, bytes)*
 */
export type ElementType = 'uuid' | 'int8' | 'int4' | 'text' | 'bool' | 'timestamptz' | 'jsonb';

const OIDS: Readonly<Record<ElementType, number>> = { uuid: 2950, int8: 20, int4: 23, text: 25, bool: 16, timestamptz: 1184, jsonb: 3802 };

/** Bytes of each element; 0 where they vary. */
const WIDTHS: Readonly<Record<ElementType, number>> = { uuid: 16, int8: 8, int4: 4, text: 0, bool: 1, timestamptz: 8, jsonb: 0 };

const HEADER_BYTES = 20;
const JSONB_WIRE_VERSION = 1;
const TWO_32 = 2 ** 32;
/** 2000-01-01 in ms since 1970: where Postgres counts microseconds from. */
const EPOCH_MS = 946_684_800_000;

/**
 * @param values uuid and text: string; int8: bigint, integer or its digits; int4: integer; bool; timestamptz: ms since
 *   1970; jsonb: Buffer of JSON text; null anywhere
 * @throws RangeError, TypeError, SyntaxError when a value does not fit its type
 */
export function binaryArray(type: ElementType, values: readonly unknown[]): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + bytesOf(type, values));
  let at = HEADER_BYTES;
  let nulls = false;
  for (const value of values) {
    if (value === null || value === undefined) {
      nulls = true;
      at = out.writeInt32BE(-1, at);
    } else at = writeElement(out, at, type, value);
  }
  out.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  out.writeInt32BE(nulls ? 1 : 0, 4);
  out.writeInt32BE(OIDS[type], 8);
  out.writeInt32BE(values.length, 12);
  out.writeInt32BE(1, 16);
  // An empty array has no dimension, and says nothing of its length.
  return values.length === 0 ? out.subarray(0, 12) : out;
}

function bytesOf(type: ElementType, values: readonly unknown[]): number {
  const width = WIDTHS[type];
  let bytes = 4 * values.length;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (width > 0) bytes += width;
    else if (type === 'jsonb') bytes += (value as Buffer).length + 1;
    else bytes += Buffer.byteLength(value as string);
  }
  return bytes;
}

function writeElement(out: Buffer, at: number, type: ElementType, value: unknown): number {
  switch (type) {
    case 'text': {
      const bytes = out.write(value as string, at + 4);
      return out.writeInt32BE(bytes, at) + bytes;
    }
    case 'jsonb': {
      const json = value as Buffer;
      const start = out.writeUInt8(JSONB_WIRE_VERSION, out.writeInt32BE(json.length + 1, at));
      return start + json.copy(out, start);
    }
    case 'uuid':
      return writeUuid(out, out.writeInt32BE(16, at), value as string);
    case 'int8':
      return writeInt64(out, out.writeInt32BE(8, at), value as bigint | number | string);
    case 'timestamptz':
      return writeMicroseconds(out, out.writeInt32BE(8, at), value as number);
    case 'int4':
      return out.writeInt32BE(whole(value as number), out.writeInt32BE(4, at));
    case 'bool':
      return out.writeUInt8(value === true ? 1 : 0, out.writeInt32BE(1, at));
  }
}

function writeUuid(out: Buffer, at: number, uuid: string): number {
  const written = uuid.length === 36 ? out.write(uuid.replaceAll('-', ''), at, 'hex') : 0;
  if (written !== 16) throw new RangeError('not a UUID');
  return at + 16;
}

function writeInt64(out: Buffer, at: number, value: bigint | number | string): number {
  // Fifteen digits are exact as a number, and writing two halves is several times as fast as a BigInt.
  const exact = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof exact !== 'number') return out.writeBigInt64BE(BigInt(exact), at);
  const high = Math.floor(whole(exact) / TWO_32);
  return out.writeUInt32BE(exact - high * TWO_32, out.writeInt32BE(high, at));
}

function writeMicroseconds(out: Buffer, at: number, ms: number): number {
  const sinceEpoch = whole(Math.round(ms - EPOCH_MS));
  const micros = sinceEpoch * 1000;
  return writeInt64(out, at, Number.isSafeInteger(micros) ? micros : BigInt(sinceEpoch) * 1000n);
}

function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError('not a whole number');
  return value;
}

/** A text[] as the text that Postgres casts to one: arrays of arrays would have to be rectangular. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}
