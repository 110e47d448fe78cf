/** Changes and gaps as a table, and as JSON. Pure but for the colour, which is for terminals only. */
import { styleText } from 'node:util';
import { shortName } from '../../past/kinds.ts';
import type { HistoryLine } from '../../past/history-lines.ts';
import type { RecordedType } from '../../past/ports.ts';
import { humanDuration } from '../../past/times.ts';
import { columnsText } from './columns.ts';

export interface ChangesShape {
  readonly headers: boolean;
  readonly nowMs: number;
  /** With the object's name, where changes of several are shown. */
  readonly objects: 'none' | 'names' | 'namespaces';
  readonly types: readonly RecordedType[];
  readonly stream: NodeJS.WritableStream;
}

const COLOURS: Readonly<Record<string, 'green' | 'red' | 'yellow' | 'dim'>> = {
  create: 'green',
  seen: 'green',
  delete: 'red',
  update: 'yellow',
  gap: 'dim',
};

export function changesText(lines: readonly HistoryLine[], shape: ChangesShape): string {
  const withNames = shape.objects !== 'none';
  const header = [
    ...(shape.objects === 'namespaces' ? ['NAMESPACE'] : []),
    ...(withNames ? ['AGE', 'OP', 'OBJECT', 'REV'] : ['REV', 'AGE', 'OP']),
    'BY',
    'CHANGE',
  ];
  const rows = lines.map((line) => rowOf(line, shape));
  const opAt = header.indexOf('OP');
  return columnsText(shape.headers ? header : null, rows, (cell, column, row) => {
    const op = rows[row]?.[opAt] ?? '';
    const colour = COLOURS[op];
    if (row < 0 || colour === undefined || (column !== opAt && op !== 'gap')) return cell;
    return styleText(colour, cell, { stream: shape.stream });
  });
}

function rowOf(line: HistoryLine, { objects, nowMs, types }: ChangesShape): string[] {
  const age = humanDuration(Math.max(0, nowMs - line.atMs));
  const namespace = line.kind === 'gap' ? line.gap.namespace : line.change.namespace;
  const resource = line.kind === 'gap' ? line.gap.resource : line.change.resource;
  const object = line.kind === 'gap' ? resource : `${typeText(resource, types)}/${line.change.name}`;
  const rev = line.kind === 'gap' ? '-' : line.change.resourceVersion;
  const op = line.kind === 'gap' ? 'gap' : line.op;
  const by = line.kind === 'gap' ? '-' : (line.change.by ?? '-');
  return [
    ...(objects === 'namespaces' ? [namespace === '' ? '-' : namespace] : []),
    ...(objects === 'none' ? [rev, age, op] : [age, op, object, rev]),
    by,
    line.text === '' ? '-' : line.text,
  ];
}

export function typeText(resource: string, types: readonly RecordedType[]): string {
  const type = types.find((one) => one.resource === resource);
  return type === undefined ? resource : shortName(type);
}

/** Stable names, times in RFC 3339. */
export function changeJson(line: HistoryLine): Record<string, unknown> {
  if (line.kind === 'gap') {
    const { resource, namespace, cause, fromMs, toMs } = line.gap;
    return {
      op: 'gap',
      resource,
      namespace,
      cause,
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      summary: line.text,
    };
  }
  const { resource, namespace, name, uid, resourceVersion, epoch, by, synthetic, snapshot } = line.change;
  return {
    op: line.op,
    resource,
    namespace,
    name,
    uid,
    resourceVersion,
    epoch,
    at: new Date(line.atMs).toISOString(),
    by,
    synthetic,
    snapshot,
    summary: line.text,
  };
}

export const LIST_OUTPUTS = ['table', 'json', 'jsonl'] as const;
export type ListOutput = (typeof LIST_OUTPUTS)[number];

/** Records in the two forms for programs. */
export function recordsText(records: readonly unknown[], output: 'json' | 'jsonl'): string {
  return output === 'json' ? `${JSON.stringify(records, null, 2)}\n` : records.map((record) => `${JSON.stringify(record)}\n`).join('');
}
