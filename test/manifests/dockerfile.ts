/**
 * A strict reader of Dockerfiles: the instructions that this project's uses, and an error for everything else.
 *   in    the text
 *   out   its stages, with ARGs of the head filled into FROM
 * Invariants (test/manifests/image.test.ts):
 *   D1 strict     an instruction, flag or form that is not known is an error, never passed over
 *   D2 in order   a stage holds its instructions as they stand in the file
 */

export type Instruction =
  | { readonly kind: 'RUN'; readonly command: string }
  | { readonly kind: 'COPY'; readonly from: string | null; readonly sources: readonly string[]; readonly target: string }
  | { readonly kind: 'WORKDIR'; readonly value: string }
  | { readonly kind: 'USER'; readonly value: string }
  | { readonly kind: 'ARG'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'ENV'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'LABEL'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'EXPOSE'; readonly ports: readonly number[] }
  | { readonly kind: 'ENTRYPOINT'; readonly argv: readonly string[] }
  | { readonly kind: 'CMD'; readonly argv: readonly string[] };

export interface Stage {
  readonly name: string;
  /** The image it begins with. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** ARGs before the first stage, with their defaults. */
  readonly args: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
}

export function parseDockerfile(text: string): Dockerfile {
  const args: Record<string, string> = {};
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of logicalLines(text)) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(\S.*)$/s.exec(line) ?? [];
    const stage = stages.at(-1);
    if (word === 'FROM') {
      const [, image = '', name = ''] = /^(\S+) AS ([a-z]+)$/.exec(rest) ?? fail(line);
      stages.push({ name, base: filled(image, args, line), instructions: [] });
    } else if (stage === undefined) {
      if (word !== 'ARG') fail(line);
      Object.assign(args, pairs(rest, line));
    } else stage.instructions.push(instructionOf(word, rest, line));
  }
  return { args, stages };
}

function instructionOf(word: string, rest: string, line: string): Instruction {
  switch (word) {
    case 'RUN':
      if (/^(\[|--|<<)/.test(rest)) fail(line);
      return { kind: word, command: rest };
    case 'COPY': {
      const [, from = null, paths = ''] = /^(?:--from=(\S+) )?((?!--|\[)\S.*)$/.exec(rest) ?? fail(line);
      const words = paths.split(/\s+/);
      const target = words.pop() ?? '';
      if (words.length === 0 || words.some((path) => /[*?]/.test(path))) fail(line);
      return { kind: word, from, sources: words, target };
    }
    case 'WORKDIR':
    case 'USER':
      return { kind: word, value: rest };
    case 'ARG':
    case 'ENV':
    case 'LABEL':
      return { kind: word, values: pairs(rest, line) };
    case 'EXPOSE':
      return { kind: word, ports: rest.split(/\s+/).map((port) => (/^\d+$/.test(port) ? Number(port) : fail(line))) };
    case 'ENTRYPOINT':
    case 'CMD':
      // The other form runs a shell.
      return { kind: word, argv: rest.startsWith('[') ? (JSON.parse(rest) as string[]) : fail(line) };
    default:
      return fail(line);
  }
}

/** Without comments, and with continued lines joined. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  for (const line of text.split('\n')) {
    if (/^\s*#/.test(line)) continue;
    if (line.trim() === '') {
      if (open !== '') fail(open);
      continue;
    }
    const continued = line.endsWith('\\');
    open += continued ? `${line.slice(0, -1).trim()} ` : line.trim();
    if (continued) continue;
    lines.push(open);
    open = '';
  }
  if (open !== '') fail(open);
  return lines;
}

function pairs(text: string, line: string): Record<string, string> {
  const found: Record<string, string> = {};
  const left = text.replaceAll(/([A-Za-z0-9._-]+)=(?:"([^"]*)"|([^\s"]+))\s*/g, (_all, name: string, quoted?: string, bare?: string) => {
    found[name] = quoted ?? bare ?? '';
    return '';
  });
  if (left !== '' || Object.keys(found).length === 0) fail(line);
  return found;
}

function filled(image: string, args: Readonly<Record<string, string>>, line: string): string {
  return image.replaceAll(/\$\{([A-Z_]+)\}/g, (_all, name: string) => args[name] ?? fail(line));
}

function fail(line: string): never {
  throw new SyntaxError(`not understood: ${line}`);
}

/** Whether a path of the build context reaches the builder. Knows `*`, plain names and `!` names. */
export function ignores(dockerignore: string): (path: string) => boolean {
  const rules = dockerignore.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return (path) => {
    let ignored = false;
    for (const rule of rules) {
      const name = rule.replace(/^!/, '');
      if (/[*?[\]]/.test(name) && name !== '*') throw new SyntaxError(`not understood: ${rule}`);
      if (name === '*' || path === name || path.startsWith(`${name}/`)) ignored = !rule.startsWith('!');
    }
    return ignored;
  };
}
