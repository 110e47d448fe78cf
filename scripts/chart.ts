/**
 * `npm run chart`: the chart's README and schema, made from its values.yaml and the settings' catalogue.
 * `npm run chart -- --check` only says whether they are up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CHART, chartFiles } from './chart/generate.ts';

const check = process.argv.includes('--check');
for (const [name, text] of Object.entries(chartFiles())) {
  const file = path.join(CHART, name);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (check) {
    process.stderr.write(`${path.relative(process.cwd(), file)} is out of date: npm run chart\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    process.stdout.write(`${path.relative(process.cwd(), file)} written\n`);
  }
}
