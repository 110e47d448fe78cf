/** Work that goes on beside a test until it is told to end. */
import type { Workload } from './workload.ts';

export interface Busy {
  /** Ends it, and rejects if it failed. @returns how many changes it made */
  end(): Promise<number>;
}

/** Changes without a pause, in small portions. */
export function keepBusy(workload: Workload): Busy {
  let going = true;
  let changes = 0;
  const work = (async () => {
    while (going) {
      await workload.run(5);
      changes += 5;
    }
  })();
  // A failure is told at the end, and is no unhandled one before.
  work.catch(() => undefined);
  return {
    end: async () => {
      going = false;
      await work;
      return changes;
    },
  };
}
