import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOf, humanDuration, parseSpan, parseTime } from '../../src/past/times.ts';

process.env['TZ'] = 'Europe/Berlin';
const NOW = Date.parse('2026-11-21T09:30:15.500Z'); // 10:30:15 in Berlin

const iso = (text: string, now = NOW): string => {
  const moment = parseTime(text, now);
  return 'ms' in moment ? new Date(moment.ms).toISOString() : moment.wrong;
};

test('spans lie before now, whatever their units', () => {
  assert.equal(iso('15m'), '2026-11-21T09:15:15.500Z');
  assert.equal(iso('1d2h'), '2026-11-20T07:30:15.500Z');
  assert.equal(iso('1.5h ago'), '2026-11-21T08:00:15.500Z');
  assert.equal(iso('-30s'), '2026-11-21T09:29:45.500Z');
  assert.equal(iso('now'), '2026-11-21T09:30:15.500Z');
  assert.equal(parseSpan('1w'), 7 * 86_400_000);
  assert.equal(parseSpan('5'), null);
});

test('T1 past: a time of day is the last one that has been, on the wall of whoever asks', () => {
  assert.equal(iso('10:05'), '2026-11-21T09:05:00.000Z');
  assert.equal(iso('10:30:16'), '2026-11-20T09:30:16.000Z');
  assert.equal(iso('23:00'), '2026-11-20T22:00:00.000Z');
});

test('dates are those of the calendar here, unless they say where', () => {
  assert.equal(iso('2026-11-20'), '2026-11-19T23:00:00.000Z');
  assert.equal(iso('2026-11-20T10:05'), '2026-11-20T09:05:00.000Z');
  assert.equal(iso('2026-11-20 10:05:07'), '2026-11-20T09:05:07.000Z');
  assert.equal(iso('2026-11-20T10:05:07.250Z'), '2026-11-20T10:05:07.250Z');
  assert.equal(iso('2026-11-20T10:05:07+02:00'), '2026-11-20T08:05:07.000Z');
  assert.equal(iso('2026-11-20T10:05:07-0800'), '2026-11-20T18:05:07.000Z');
  // Summer time counts as of then.
  assert.equal(iso('2026-07-01T12:00'), '2026-07-01T10:00:00.000Z');
});

test('T1 past: the future is refused, but for the difference of two clocks', () => {
  assert.match(iso('2026-11-21T09:31:00Z'), /is in the future \(now it is 2026-11-21T09:30:15Z\)/);
  assert.equal(iso('2026-11-21T09:30:16Z'), '2026-11-21T09:30:15.500Z');
});

test('what is no time is told what would be one', () => {
  for (const text of ['', 'yesterday', '25:00', '10:60', '2026-13-01', '2026-02-30', '15', '1x', '2026-11-20T10', 'T10:05'])
    assert.match(iso(text), /is no time: write 15m, 2h, 10:05/, text);
});

test('T2 same: ages read as kubectl has them', () => {
  const cases: [seconds: number, text: string][] = [
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [599, '9m59s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [28_799, '7h59m'],
    [28_800, '8h'],
    [172_799, '47h'],
    [172_800, '2d'],
    [180_000, '2d2h'],
    [691_199, '7d23h'],
    [691_200, '8d'],
    [63_071_999, '729d'],
    [63_072_000, '2y'],
    [63_158_400, '2y1d'],
    [252_288_000, '8y'],
  ];
  for (const [seconds, text] of cases) assert.equal(humanDuration(seconds * 1000 + (seconds < 0 ? -500 : 500)), text, String(seconds));
  assert.equal(ageOf(undefined, NOW), '<unknown>');
  assert.equal(ageOf('2026-11-21T09:30:00Z', NOW), '15s');
});
