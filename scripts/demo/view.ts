/** The live view: one line per change, above a status line. */
import { stripVTControlCharacters, styleText } from 'node:util';
import { projectionOf } from '../../src/capture/projection.ts';
import type { ChangeRecord } from '../../src/events/change.ts';
import type { Projection } from '../../src/events/state.ts';

const MARKS = { r: ['·', 'dim'], c: ['+', 'green'], u: ['~', 'yellow'], d: ['-', 'red'] } as const;
const REMEMBERED = 5_000;

export class View {
  readonly #out: NodeJS.WriteStream;
  readonly #before = new Map<string, Projection>();
  #status = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  change(record: ChangeRecord, nowMs: number): void {
    const { op, source, by } = record;
    const [mark, color] = MARKS[op];
    const { resource, namespace, name } = source;
    const key = `${resource} ${source.uid}`;
    const now = projectionOf(source.kind, record.object);
    const before = this.#before.get(key);
    if (op === 'd') this.#before.delete(key);
    else this.#before.set(key, now);
    // The oldest entry goes first: this is a view, not a store.
    if (this.#before.size > REMEMBERED) this.#before.delete(this.#before.keys().next().value ?? '');
    const time = record.ts.slice(11, 23);
    const what = `${singular(resource)}/${name}`;
    const text = op === 'u' && before !== undefined ? differences(before, now) : words(record, now);
    const who = by === null ? '' : by.manager;
    const age = Math.max(0, nowMs - Date.parse(record.ts));
    const line = `${this.#style('dim', time)} ${this.#style(color, `${mark} ${what.padEnd(44)}`)} ${text.padEnd(36)} ${this.#style('dim', `${namespace === '' ? '' : `${namespace}  `}${who}  ${age} ms`)}`;
    this.line(fit(line, this.#out));
  }

  line(text: string): void {
    if (this.#out.isTTY) this.#out.write(`\r\u001b[K${text}\n${this.#status}`);
    else this.#out.write(`${stripVTControlCharacters(text).trimEnd()}\n`);
  }

  /** On a terminal it stays at the bottom; elsewhere it is a line every now and then. */
  status(text: string): void {
    if (!this.#out.isTTY) return;
    this.#status = fit(this.#style('inverse', ` ${text} `), this.#out);
    this.#out.write(`\r\u001b[K${this.#status}`);
  }

  clearStatus(): void {
    this.#status = '';
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }

  #style(color: 'dim' | 'green' | 'yellow' | 'red' | 'inverse', text: string): string {
    return styleText(color, text, { stream: this.#out });
  }
}

function differences(before: Projection, now: Projection): string {
  const parts: string[] = [];
  for (const field of ['phase', 'reason', 'ready', 'replicas', 'node'] as const) {
    if (before[field] !== now[field]) parts.push(`${field} ${before[field] ?? '-'} → ${now[field] ?? '-'}`);
  }
  if (before.restarts !== now.restarts) parts.push(`restarts ${before.restarts ?? 0} → ${now.restarts ?? 0}`);
  const images = (now.images ?? []).filter((image, at) => image !== before.images?.[at]).map((image) => image.replace(/^.*\//, ''));
  if (images.length > 0) parts.push(`image → ${images.join(', ')}`);
  const changed = Object.entries(now.values ?? {})
    .filter(([key, mark]) => before.values?.[key] !== mark)
    .map(([key]) => key);
  if (changed.length > 0) parts.push(`*** ${changed.join(', ')}`);
  return parts.join('; ');
}

function words(record: ChangeRecord, now: Projection): string {
  if (record.source.kind === 'Event') {
    const { reason, note } = record.object as { reason?: string; note?: string };
    return `${reason ?? ''}: ${note ?? ''}`;
  }
  if (record.op === 'd') return 'gone';
  return [now.phase, now.replicas === undefined ? undefined : `${now.replicas} replicas`].filter((word) => word !== undefined).join(' ');
}

function singular(resource: string): string {
  const [plural = resource] = resource.split('.');
  return plural.replace(/s$/, '');
}

/** Cut at the width of the terminal, colours not counted. */
function fit(line: string, out: NodeJS.WriteStream): string {
  const width = out.isTTY ? out.columns : Number.POSITIVE_INFINITY;
  const excess = stripVTControlCharacters(line).length - width + 1;
  if (excess <= 0) return line;
  let kept = '';
  let seen = 0;
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b')) kept += part;
    else {
      kept += part.slice(0, Math.max(0, width - 1 - seen));
      seen += part.length;
    }
  }
  return kept;
}
