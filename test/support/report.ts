/** What a test of the guarantees did: a line for whoever watches, and a row for `npm run guarantees`. */
import { appendFileSync } from 'node:fs';
import process from 'node:process';
import type { Report } from '../../scripts/guarantees/table.ts';

export function report(one: Report): void {
  const { fault, seed, changes, lost, twice, outOfOrder, kills, catchUpMs } = one;
  const caught = catchUpMs === 0 ? '' : `, caught up in ${(catchUpMs / 1000).toFixed(1)} s`;
  console.log(
    `    ${fault}, ${kills} times: ${changes} changes, ${lost} lost, ${twice} twice, ${outOfOrder} out of order${caught}; seed ${seed}`,
  );
  const file = process.env['KUBETAPE_GUARANTEES_REPORT'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(one)}\n`);
}
