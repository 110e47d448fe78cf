/** How long the tests of the guarantees run: the short form with every `npm test`, the full one with KUBETAPE_GUARANTEES=full. */
import process from 'node:process';

export const full: boolean = process.env['KUBETAPE_GUARANTEES'] === 'full';

/** How often, how many, or how long: `short`, or `long` in the full form. */
export function times(short: number, long: number): number {
  return full ? long : short;
}
