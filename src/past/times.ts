/**
 * Times as people write them, and ages as kubectl writes them. Pure but for the time zone, which is the process's; the
 * clock is an argument.
 *   in    `15m` `2h` `1d12h` (ago), `10:05`, `2026-11-20`, `2026-11-20T10:05`, RFC 3339, `now`
 *   out   milliseconds since 1970; or a sentence that says what would be right
 * Invariants (test/past/times.test.ts):
 *   T1 past    a time of day is the last one that has been; what lies in the future is refused
 *   T2 same    an age reads as kubectl has it (apimachinery, util/duration)
 */

export type Moment = { readonly ms: number } | { readonly wrong: string };

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const SPAN = /^-?((?:\d+(?:\.\d+)?(?:ms|[smhdw]))+)(?:\s+ago)?$/;
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(\.\d{1,9})?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

export const TIMES = '15m, 2h, 10:05, 2026-11-20, 2026-11-20T10:05 or RFC 3339';

/** Clocks differ a little: what was recorded a moment ago is no future. */
const AHEAD_MS = 2_000;

export function parseTime(text: string, nowMs: number): Moment {
  const words = text.trim();
  const ms = words === 'now' ? nowMs : (spanAgo(words, nowMs) ?? clock(words, nowMs) ?? date(words));
  if (ms === null) return { wrong: `"${text}" is no time: write ${TIMES}` };
  if (ms > nowMs + AHEAD_MS) return { wrong: `${text} is in the future (now it is ${rfc3339(nowMs)})` };
  return { ms: Math.min(ms, nowMs) };
}

/** A length of time: `1h30m`. @returns milliseconds, or null */
export function parseSpan(text: string): number | null {
  const match = SPAN.exec(text.trim());
  if (match === null) return null;
  let ms = 0;
  for (const [, count, unit] of (match[1] ?? '').matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) ms += Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  return Math.round(ms);
}

function spanAgo(text: string, nowMs: number): number | null {
  const span = parseSpan(text);
  return span === null ? null : nowMs - span;
}

function clock(text: string, nowMs: number): number | null {
  const match = CLOCK.exec(text);
  if (match === null) return null;
  const [, hours, minutes, seconds = '0'] = match;
  for (const back of [0, 1]) {
    const day = new Date(nowMs - back * 864e5);
    const at = new Date(day.getFullYear(), day.getMonth(), day.getDate(), Number(hours), Number(minutes), Number(seconds)).getTime();
    if (at <= nowMs) return at;
  }
  return null;
}

function date(text: string): number | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [, day = '', minutes = '00:00', seconds = '00', fraction = '', zone] = match;
  const zoned = zone === undefined ? 'Z' : zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const ms = Date.parse(`${day}T${minutes}:${seconds}${fraction.slice(0, 4)}${zoned}`);
  // February the 30th is no day, though Date takes it for one of March.
  if (Number.isNaN(ms) || new Date(Date.parse(`${day}T00:00:00Z`)).toISOString().slice(0, 10) !== day) return null;
  if (zone !== undefined) return ms;
  const [year = 0, month = 0, monthday = 0] = day.split('-').map(Number);
  const [hours = 0, minute = 0] = minutes.split(':').map(Number);
  return new Date(year, month - 1, monthday, hours, minute, Number(seconds)).getTime() + (ms % 1000);
}

/** UTC, without a fraction. */
export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `12s`, `3m20s`, `5h12m`, `3d4h`, `400d`: as kubectl's AGE. @see k8s.io/apimachinery/pkg/util/duration HumanDuration */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m${rest(seconds % 60, 's')}`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return `${hours}h${rest(minutes % 60, 'm')}`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return `${days}d${rest(hours % 24, 'h')}`;
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  if (days < 2920) return `${years}y${rest(days % 365, 'd')}`;
  return `${years}y`;
}

function rest(count: number, unit: string): string {
  return count === 0 ? '' : `${count}${unit}`;
}

/** The age of a time stamp of an object; kubectl's word where there is none. */
export function ageOf(timestamp: unknown, nowMs: number): string {
  const ms = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(ms) ? '<unknown>' : humanDuration(nowMs - ms);
}
