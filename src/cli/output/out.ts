/** What a role that runs once says, line by line. */
import type { Out } from '../../app/out.ts';
import { dim, mark } from './style.ts';

export function outTo(stream: NodeJS.WritableStream): Out {
  return {
    ok: (message) => void stream.write(`${mark('ok', stream)} ${message}\n`),
    warn: (message) => void stream.write(`${mark('warn', stream)} ${message}\n`),
    fail: (message, remedy) => void stream.write(`${mark('fail', stream)} ${message}\n  ${dim(`→ ${remedy}`, stream)}\n`),
    line: (message) => void stream.write(`${message}\n`),
  };
}
