/**
 * Conditions on changes, for `--where`. Pure.
 *   in    `op == "delete" || kind == "Deployment" && namespace =~ "^shop"`, `object.spec.replicas > 3`, `labels.app == "web"`
 *   out   a test of a change
 *     names    op, resource, kind, namespace, name, by, summary, synthetic; below `labels.` and `object.` whatever is there,
 *              other names than plain ones in brackets: labels["app.kubernetes.io/name"]
 *     signs    == != < <= > >= =~ !~ (a regular expression), && || ! ( ); strings in either quotes, numbers, true, false, null
 * Invariants (test/past/expression.test.ts):
 *   W1 whole   a condition that is not understood to its end is refused, with the place
 *   W2 total   no change throws; what is not there equals null, and is neither less nor more than anything
 */

export type Subject = { readonly [name: string]: unknown };
export type Condition = { readonly test: (subject: Subject) => boolean } | { readonly wrong: string };

type Evaluate = (subject: Subject) => unknown;

interface Token {
  readonly kind: 'sign' | 'name' | 'value' | 'end';
  readonly text: string;
  readonly value?: unknown;
  readonly at: number;
}

const NAMES: ReadonlySet<string> = new Set([
  'op',
  'resource',
  'kind',
  'namespace',
  'name',
  'by',
  'summary',
  'synthetic',
  'labels',
  'object',
]);
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };
const TOKEN = /\s*(?:(&&|\|\||==|!=|=~|!~|<=|>=|[<>!().[\]])|([A-Za-z_][\w-]*)|(-?\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))/y;

class Refusal extends Error {}

export function parseCondition(text: string): Condition {
  try {
    const parser = new Parser(tokens(text));
    const evaluate = parser.whole();
    return { test: (subject) => truth(evaluate(subject)) };
  } catch (error) {
    if (error instanceof Refusal) return { wrong: error.message };
    throw error;
  }
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Refusal(`${shown(text, from)} is not understood`);
    const [all, sign, name, number, string] = match;
    const at = from + all.length - all.trimStart().length;
    if (sign !== undefined) found.push({ kind: 'sign', text: sign, at });
    else if (name !== undefined)
      found.push(Object.hasOwn(WORDS, name) ? { kind: 'value', text: name, value: WORDS[name], at } : { kind: 'name', text: name, at });
    else if (number !== undefined) found.push({ kind: 'value', text: number, value: Number(number), at });
    else found.push({ kind: 'value', text: string ?? '', value: unquoted(string ?? '""'), at });
  }
  found.push({ kind: 'end', text: 'the end', at: text.length });
  return found;
}

function shown(text: string, at: number): string {
  return `"${text.slice(at).trim().slice(0, 20)}" (character ${at + 1})`;
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Evaluate {
    const evaluate = this.#or();
    if (this.#next().kind !== 'end') throw this.#unexpected();
    return evaluate;
  }

  #next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: 'the end', at: 0 };
  }

  #take(...signs: readonly string[]): string | null {
    const { kind, text } = this.#next();
    if (kind !== 'sign' || !signs.includes(text)) return null;
    this.#at += 1;
    return text;
  }

  #unexpected(): Refusal {
    const { text, at } = this.#next();
    return new Refusal(`${text} is not expected (character ${at + 1})`);
  }

  #or(): Evaluate {
    let left = this.#and();
    while (this.#take('||') !== null) {
      const [one, other] = [left, this.#and()];
      left = (subject) => truth(one(subject)) || truth(other(subject));
    }
    return left;
  }

  #and(): Evaluate {
    let left = this.#not();
    while (this.#take('&&') !== null) {
      const [one, other] = [left, this.#not()];
      left = (subject) => truth(one(subject)) && truth(other(subject));
    }
    return left;
  }

  #not(): Evaluate {
    if (this.#take('!') === null) return this.#comparison();
    const inner = this.#not();
    return (subject) => !truth(inner(subject));
  }

  #comparison(): Evaluate {
    const left = this.#operand();
    const sign = this.#take('==', '!=', '<', '<=', '>', '>=', '=~', '!~');
    if (sign === null) return left;
    if (sign === '=~' || sign === '!~') {
      const pattern = this.#pattern();
      return (subject) => pattern.test(textOf(left(subject))) === (sign === '=~');
    }
    const right = this.#operand();
    return (subject) => compare(sign, left(subject), right(subject));
  }

  #pattern(): RegExp {
    const { kind, value, at } = this.#next();
    if (kind !== 'value' || typeof value !== 'string') throw this.#unexpected();
    this.#at += 1;
    try {
      return new RegExp(value, 'u');
    } catch {
      throw new Refusal(`"${value}" is no regular expression (character ${at + 1})`);
    }
  }

  #operand(): Evaluate {
    if (this.#take('(') !== null) {
      const inner = this.#or();
      if (this.#take(')') === null) throw this.#unexpected();
      return inner;
    }
    const token = this.#next();
    if (token.kind === 'value') {
      this.#at += 1;
      return () => token.value;
    }
    if (token.kind !== 'name') throw this.#unexpected();
    return this.#path();
  }

  #path(): Evaluate {
    const first = this.#next();
    if (!NAMES.has(first.text))
      throw new Refusal(`there is no ${first.text} (character ${first.at + 1}); there are ${[...NAMES].join(', ')}`);
    const path: (string | number)[] = [];
    do {
      if (this.#next().kind !== 'name') throw this.#unexpected();
      path.push(this.#next().text);
      this.#at += 1;
      while (this.#take('[') !== null) {
        const { kind, value } = this.#next();
        if (kind !== 'value' || (typeof value !== 'string' && typeof value !== 'number')) throw this.#unexpected();
        this.#at += 1;
        path.push(value);
        if (this.#take(']') === null) throw this.#unexpected();
      }
    } while (this.#take('.') !== null);
    return (subject) => path.reduce<unknown>(below, subject);
  }
}

function below(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Subject)[name] : null;
}

function truth(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== '' && value !== 0;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function compare(sign: string, left: unknown, right: unknown): boolean {
  const [a, b] = [left ?? null, right ?? null];
  if (sign === '==') return a === b;
  if (sign === '!=') return a !== b;
  if ((typeof a !== 'number' || typeof b !== 'number') && (typeof a !== 'string' || typeof b !== 'string')) return false;
  switch (sign) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}
