/**
 * Loaded before a role (`node --import`): after some seconds its clock on the wall goes back, as when somebody corrects it.
 *   KUBETAPE_TEST_SET_BACK_AFTER_MS, KUBETAPE_TEST_SET_BACK_MS
 */
import process from 'node:process';

const { KUBETAPE_TEST_SET_BACK_AFTER_MS: afterMs = '0', KUBETAPE_TEST_SET_BACK_MS: byMs = '3600000' } = process.env;
const { now } = Date;
const startedMs = performance.now();
const shift = () => (performance.now() - startedMs < Number(afterMs) ? 0 : Number(byMs));
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now() - shift());
    else super(...args);
  }

  static now() {
    return now() - shift();
  }
};
