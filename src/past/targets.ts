/**
 * Which objects are meant: `pods`, `po,svc`, `pod/web`, `deploy checkout cart`, `deploy/checkout sts/db`. Pure. As kubectl reads them.
 */

export interface Target {
  readonly type: string;
  /** undefined: all of the type */
  readonly name?: string;
}

export type Targets = { readonly targets: readonly Target[] } | { readonly wrong: string };

export function parseTargets(words: readonly string[]): Targets {
  const [first, ...rest] = words;
  if (first === undefined) return { targets: [] };
  if (words.some((word) => word.includes('/'))) {
    const targets: Target[] = [];
    for (const word of words) {
      const [type = '', name = '', more] = word.split('/');
      if (type === '' || name === '' || more !== undefined)
        return { wrong: `"${word}" is no TYPE/NAME: names are given all as TYPE/NAME, or all after one TYPE` };
      targets.push({ type, name });
    }
    return { targets };
  }
  const types = first.split(',').filter((type) => type !== '');
  if (types.length === 0) return { wrong: `"${first}" is no type` };
  return { targets: types.flatMap((type) => (rest.length === 0 ? [{ type }] : rest.map((name) => ({ type, name })))) };
}

/** For verbs about one object: `TYPE/NAME` or `TYPE NAME`, and what comes after it. */
export function parseTarget(
  words: readonly string[],
): { readonly type: string; readonly name: string; readonly rest: readonly string[] } | { readonly wrong: string } {
  const [first = '', second, ...rest] = words;
  if (first.includes('/')) {
    const [type = '', name = '', more] = first.split('/');
    if (type === '' || name === '' || more !== undefined) return { wrong: `"${first}" is no TYPE/NAME` };
    return { type, name, rest: second === undefined ? [] : [second, ...rest] };
  }
  if (first === '') return { wrong: 'say which object: TYPE/NAME, like deploy/checkout' };
  if (second === undefined) return { wrong: `say which of the ${first}: TYPE/NAME, like ${first}/NAME` };
  return { type: first, name: second, rest };
}
