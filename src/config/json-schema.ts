/** The settings file as JSON Schema, for editors and for the chart's values. Pure. */
import { z } from 'zod';
import { CATALOGUE } from './catalogue.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Keys as they stand in a settings file, ungrouped; nothing is required, since flags and environment may say it. */
export function settingsJsonSchema(): JsonSchema {
  const properties = Object.fromEntries(
    CATALOGUE.map(({ key, schema, about, kind }) => {
      const { $schema: _, env: _env, flag: _flag, defaultText: _text, ...own } = z.toJSONSchema(schema, { io: 'output' });
      // Sizes and ports have spellings that are text.
      const spelled = kind.placeholder === 'size' || kind.placeholder === 'port';
      const { description: _about, readOnly: _readOnly, default: fallback, ...value } = own;
      const common = { description: `${about} (${kind.allowed})`, ...(fallback === undefined ? {} : { default: fallback }) };
      return [key, spelled ? { ...common, anyOf: [value, { type: 'string' }] } : { ...common, ...value }];
    }),
  );
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', additionalProperties: false, properties };
}
