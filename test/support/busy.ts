/** Work that goes on beside a test until it is told to end. */
import type { Workload } from './workload.ts';

export interface Busy {
  /** Waits for `what`, unless the work fails before: then nothing would come any more. */
  during<T>(what: Promise<T>): Promise<T>;
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
    return changes;
  })();
  const failed = new Promise<never>((_resolve, reject) => {
    work.catch((error: Error) => reject(new Error(`the workload failed: ${error.message}`, { cause: error })));
  });
  // A failure is told at the end, and is no unhandled one before.
  failed.catch(() => undefined);
  return {
    during: (what) => Promise.race([what, failed]),
    end: () => {
      going = false;
      return work;
    },
  };
}
