/** Where a value comes from, and what is wrong with it. Pure. */
import type { Setting } from './catalogue.ts';
import { mask } from './mask.ts';

export type Source =
  | { readonly from: 'flag' | 'env'; readonly name: string }
  | { readonly from: 'file'; readonly name: string; readonly path: string }
  | { readonly from: 'secret-file'; readonly name: string; readonly of: Source }
  | { readonly from: 'default' };

export function sourceText(source: Source): string {
  switch (source.from) {
    case 'flag':
      return `flag ${source.name}`;
    case 'env':
      return `environment ${source.name}`;
    case 'file':
      return `${source.path}: ${source.name}`;
    case 'secret-file':
      return `content of ${source.name}, ${sourceText(source.of)}`;
    case 'default':
      return 'default';
  }
}

/** A value as it was found, before it is understood. */
export interface Found {
  readonly value: unknown;
  readonly source: Source;
}

/** One wrong setting: who it is, where it was said, and what would be right. */
export interface Problem {
  readonly subject: string;
  readonly message: string;
}

/** What one of flags, environment and file says. */
export interface Layer {
  readonly found: ReadonlyMap<string, Found>;
  readonly problems: readonly Problem[];
}

export function wrongValue(setting: Setting, found: Found, allowed = setting.kind.allowed): Problem {
  return { subject: `${setting.key} = ${mask(setting.kind, found.value)} (${sourceText(found.source)})`, message: `must be ${allowed}` };
}

/** All problems in one message. */
export function problemsText(problems: readonly Problem[]): string {
  const head = problems.length === 1 ? '1 setting is wrong:' : `${problems.length} settings are wrong:`;
  return [head, ...problems.map(({ subject, message }) => `  ${subject}: ${message}`)].join('\n');
}
