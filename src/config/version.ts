/** Which kubetape this is. */
import { readFileSync } from 'node:fs';

/** The package's own version: src/ and dist/ lie side by side below it. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
