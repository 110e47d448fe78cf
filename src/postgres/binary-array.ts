/**
 * One-dimensional arrays in Postgres' binary format. `pg` sends a Buffer parameter as binary: nothing is escaped, and a
 * record's bytes go to jsonb without ever having been a string.
 * @see src/include/utils/array.h and array_recv: ndim, has-null, element type, (length, lower bound), (length, bytes)*
 */
export type ElementType = 'uuid' | 'int8' | 'int4' | 'text' | 'bool' | 'timestamptz' | 'jsonb';

const OIDS: Readonly<Record<ElementType, number>> = { uuid: 2950, int8: 20, int4: 23, text: 25, bool: 16, timestamptz: 1184, jsonb: 3802 };

/** 2000-01-01 in ms since 1970: where Postgres counts microseconds from. */
const EPOCH_MS = 946_684_800_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * @param values uuid and text: string; int8: bigint or integer; int4: integer; bool; timestamptz: ms since 1970; jsonb: Buffer
 *   of JSON text; null anywhere
 * @throws RangeError when a value does not fit its type
 */
export function binaryArray(type: ElementType, values: readonly unknown[]): Buffer {
  const elements = values.map((value) => (value === null || value === undefined ? null : encode(type, value)));
  let bytes = 20;
  for (const element of elements) bytes += 4 + (element?.length ?? 0) + (type === 'jsonb' && element !== null ? 1 : 0);
  const out = Buffer.allocUnsafe(bytes);
  out.writeInt32BE(1, 0);
  out.writeInt32BE(elements.includes(null) ? 1 : 0, 4);
  out.writeInt32BE(OIDS[type], 8);
  out.writeInt32BE(elements.length, 12);
  out.writeInt32BE(1, 16);
  let at = 20;
  for (const element of elements) {
    if (element === null) {
      at = out.writeInt32BE(-1, at);
      continue;
    }
    if (type === 'jsonb') {
      at = out.writeInt32BE(element.length + 1, at);
      // The version of jsonb's wire format.
      at = out.writeUInt8(1, at);
    } else at = out.writeInt32BE(element.length, at);
    at += element.copy(out, at);
  }
  return out;
}

function encode(type: ElementType, value: unknown): Buffer {
  switch (type) {
    case 'uuid': {
      const text = String(value as string);
      if (!UUID.test(text)) throw new RangeError('not a UUID');
      return Buffer.from(text.replaceAll('-', ''), 'hex');
    }
    case 'int8': {
      const element = Buffer.allocUnsafe(8);
      element.writeBigInt64BE(typeof value === 'bigint' ? value : BigInt(value as number | string));
      return element;
    }
    case 'int4': {
      const element = Buffer.allocUnsafe(4);
      element.writeInt32BE(value as number);
      return element;
    }
    case 'timestamptz': {
      const element = Buffer.allocUnsafe(8);
      element.writeBigInt64BE(BigInt(Math.round((value as number) - EPOCH_MS)) * 1000n);
      return element;
    }
    case 'bool':
      return Buffer.from([value === true ? 1 : 0]);
    case 'text':
      return Buffer.from(value as string);
    case 'jsonb':
      return value as Buffer;
  }
}

/** A text[] as the text that Postgres casts to one: arrays of arrays would have to be rectangular. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}
