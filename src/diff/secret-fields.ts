/** Where a Secret's values lie: by what an object says of itself, wherever it lies, as the redaction does. Pure. */

const IN_SECRET: ReadonlySet<string> = new Set(['data', 'stringData']);
/** The items of a list bear no kind of their own. */
const IN_SECRET_LIST: ReadonlySet<string> = new Set(['items']);

/** @returns the fields of the object of which nothing may be shown but their keys */
export function secretFields(object: { readonly [field: string]: unknown }): ReadonlySet<string> | undefined {
  const kind = object['kind'];
  return kind === 'Secret' ? IN_SECRET : kind === 'SecretList' ? IN_SECRET_LIST : undefined;
}
