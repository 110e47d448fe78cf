import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { formatOf, recordsOf, type Format } from '../../src/loads/records.ts';

async function read(
  text: string | Buffer,
  format: Format,
  pieceBytes = 7,
): Promise<{ lines: number[]; values: unknown[]; sha256: string }> {
  const bytes = Buffer.from(text);
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const [lines, values]: [number[], unknown[]] = [[], []];
  let sha256 = '';
  for await (const { line, value } of recordsOf(pieces(), format, (digest) => (sha256 = digest))) {
    lines.push(line);
    values.push(JSON.parse(value.toString()));
  }
  return { lines, values, sha256 };
}

test('R1 whole: every line of NDJSON, every row of CSV, with its line', async () => {
  const ndjson = '\uFEFF{"a":"ü"}\n\n[1, 2]\r\n"x"';
  for (const pieceBytes of [1, 3, 1000]) {
    const { lines, values, sha256 } = await read(ndjson, 'ndjson', pieceBytes);
    assert.deepEqual(
      [lines, values],
      [
        [1, 3, 4],
        [{ a: 'ü' }, [1, 2], 'x'],
      ],
    );
    assert.equal(sha256, createHash('sha256').update(ndjson).digest('hex'));
    const csv = await read('\uFEFFname,amount\nÄpfel,3\n"a\nb",\n', 'csv', pieceBytes);
    assert.deepEqual(
      [csv.lines, csv.values],
      [
        [2, 3],
        [
          { name: 'Äpfel', amount: '3' },
          { name: 'a\nb', amount: '' },
        ],
      ],
    );
  }
});

test('R1 whole: what is not a record is an error with its line, which quotes nothing of it', async () => {
  for (const [text, format, message] of [
    ['{"a":1}\n{"password": hunter2}\n', 'ndjson', /^line 2 is not JSON$/],
    ['{"a":1}\n"cut', 'ndjson', /^line 2 is not JSON$/],
    ['a,b\n1,2\n3\n', 'csv', /^line 3 has 1 fields, the header has 2$/],
    ['a,a\n', 'csv', /names a column twice/],
    ['a,\n1,2\n', 'csv', /has no name/],
    ['a\n"1', 'csv', /line 2: a quoted field is not closed/],
  ] as const)
    await assert.rejects(read(text, format), { code: 'RECORD_INVALID', message });
  await assert.rejects(read(Buffer.from([0x22, 0xff, 0x22, 0x0a]), 'ndjson'), { message: 'line 1 is not UTF-8' });
  await assert.rejects(read(Buffer.from([0x61, 0x0a, 0xff, 0x0a]), 'csv'), { message: 'the file is not UTF-8' });
});

test('R2 bounded: a record that no topic would take is refused before it is held', async () => {
  const long = Buffer.alloc(9 * 1024 * 1024, 'x');
  await assert.rejects(read(long, 'ndjson', 65_536), { message: /line 1 is larger than a topic takes/ });
  await assert.rejects(read(Buffer.concat([Buffer.from('a\n"'), long]), 'csv', 65_536), { message: /larger than a topic takes/ });
});

test('the name of the file says what it holds', () => {
  assert.deepEqual(['x.csv', 'x.CSV', 'x.ndjson', 'x.jsonl'].map(formatOf), ['csv', 'csv', 'ndjson', 'ndjson']);
  assert.throws(() => formatOf('x.xlsx'), { code: 'CONFIG_INVALID' });
});
