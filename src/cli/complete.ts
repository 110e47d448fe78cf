/**
 * Candidates for Tab. Never fails and says nothing: a shell waits for it.
 *   in    the words after the program's name; the last one is the one to complete, perhaps empty
 *   out   candidates, one a line, with what they are for after a tab
 */
import { Command } from 'commander';
import { findType, shortName, typeWords } from '../past/kinds.ts';
import type { Asking } from './asking.ts';
import type { Context, Define } from './context.ts';

export interface VerbOf {
  readonly about: string;
  readonly load: () => Promise<Define>;
}

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** Verbs whose first arguments are types and names. */
const OF_OBJECTS: ReadonlySet<string> = new Set(['get', 'history', 'diff', 'blame', 'changes', 'tail']);
const TYPES_WITHOUT_A_DATABASE = ['pods', 'services', 'deployments', 'statefulsets', 'configmaps', 'secrets', 'events'];

export async function complete(words: readonly string[], verbs: Readonly<Record<string, VerbOf>>, context: Context): Promise<void> {
  const last = words.at(-1) ?? '';
  const candidates = await candidatesOf(words.slice(0, -1), last, verbs, context);
  for (const { word, about } of candidates)
    if (word.startsWith(last)) context.stdout.write(about === '' ? `${word}\n` : `${word}\t${about}\n`);
}

async function candidatesOf(
  before: readonly string[],
  last: string,
  verbs: Readonly<Record<string, VerbOf>>,
  context: Context,
): Promise<Candidate[]> {
  const verb = before.find((word) => !word.startsWith('-'));
  if (verb === undefined) return Object.entries(verbs).map(([word, { about }]) => ({ word, about }));
  if (!Object.hasOwn(verbs, verb)) return [];
  const command = new Command(verb);
  (await verbs[verb]?.load())?.(command, context);
  const flag = before.at(-1) ?? '';
  const option = command.options.find(({ long, short }) => long === flag || short === flag);
  if (option?.argChoices !== undefined) return option.argChoices.map((word) => ({ word, about: '' }));
  if (flag === '-n' || flag === '--namespace') return namespaces(command, before, context);
  if (option !== undefined && (option.required || option.optional)) return [];
  if (last.startsWith('-'))
    return command.options.filter(({ hidden }) => !hidden).map(({ long, description }) => ({ word: long ?? '', about: description }));
  if (command.registeredArguments[0]?.argChoices !== undefined)
    return command.registeredArguments[0].argChoices.map((word) => ({ word, about: '' }));
  return OF_OBJECTS.has(verb) ? objects(command, before, last, context) : [];
}

/** Types, and after `TYPE/` or `TYPE ` names. */
async function objects(command: Command, before: readonly string[], last: string, context: Context): Promise<Candidate[]> {
  const named = before.slice(1).find((word) => !word.startsWith('-') && word !== valueOf(before, word));
  const slash = last.indexOf('/');
  const type = slash >= 0 ? last.slice(0, slash) : named?.includes('/') === false ? named : undefined;
  return quietly(
    command,
    before,
    context,
    async (asking) => {
      if (type === undefined)
        return [
          ...typeWords(asking.types).map((word) => ({ word, about: '' })),
          ...asking.types.map((one) => ({ word: `${shortName(one)}/`, about: '' })),
        ];
      const found = findType(type, asking.types);
      if ('wrong' in found) return [];
      const names = await asking.past.names(found.type, asking);
      return [...new Set(names.map(({ name }) => name))].map((name) => ({ word: slash >= 0 ? `${type}/${name}` : name, about: '' }));
    },
    type === undefined ? TYPES_WITHOUT_A_DATABASE.map((word) => ({ word, about: '' })) : [],
  );
}

function namespaces(command: Command, before: readonly string[], context: Context): Promise<Candidate[]> {
  return quietly(
    command,
    before,
    context,
    async (asking) => {
      const found = new Set<string>();
      for (const type of asking.types)
        for (const { namespace } of await asking.past.names(type, { ...asking, namespace: null })) found.add(namespace);
      return [...found]
        .filter((word) => word !== '')
        .toSorted()
        .map((word) => ({ word, about: '' }));
    },
    [],
  );
}

/** A word that belongs to the flag before it. */
function valueOf(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return [
    '-n',
    '--namespace',
    '-l',
    '--selector',
    '--at',
    '--since',
    '--until',
    '--cluster',
    '--context',
    '--database-url',
    '--config',
  ].includes(words[at - 1] ?? '')
    ? word
    : undefined;
}

async function quietly(
  command: Command,
  before: readonly string[],
  context: Context,
  work: (asking: Asking) => Promise<Candidate[]>,
  otherwise: Candidate[],
): Promise<Candidate[]> {
  let found = otherwise;
  try {
    const { ask } = await import('./asking.ts');
    // Only the flags that were typed already count: the place, and where the record is.
    command
      .exitOverride()
      .allowExcessArguments()
      .allowUnknownOption()
      .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    const typed = before.at(-1)?.startsWith('-') === true ? before.slice(1, -1) : before.slice(1);
    command.parseOptions(typed);
    await ask(command, context, command.opts(), async (asking) => {
      found = await work(asking);
    });
  } catch {
    // No database, no names.
  }
  context.exitCode = 0;
  return found;
}
