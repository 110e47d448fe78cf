/**
 * `npm run prove -- connect | terraform`: what takes too much building or fetching for `npm test`, proved on local servers.
 */
const PROOFS: Readonly<Record<string, () => Promise<{ prove: () => Promise<void> }>>> = {
  connect: () => import('./proofs/connect.ts'),
  terraform: () => import('./proofs/terraform.ts'),
};

const [name = ''] = process.argv.slice(2);
const load = PROOFS[name];
if (load === undefined) {
  process.stderr.write(`usage: npm run prove -- ${Object.keys(PROOFS).join(' | ')}\n`);
  process.exitCode = 2;
} else {
  try {
    await (await load()).prove();
    process.stdout.write(`✔ ${name}: proved\n`);
  } catch (error) {
    process.stderr.write(`✗ ${name}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
