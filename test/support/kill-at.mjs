/**
 * Loaded before a collector (`node --import`): kills its process at a labelled step of its nth transaction, as `kill -9` does.
 *   KUBETAPE_TEST_KILL_AT   before-begin | before-commit | in-commit | after-commit
 *   KUBETAPE_TEST_KILL_NTH  1-based
 */
import process from 'node:process';
import kafka from 'node-rdkafka';

const { KUBETAPE_TEST_KILL_AT: at, KUBETAPE_TEST_KILL_NTH: nth = '1' } = process.env;
const { prototype } = kafka.Producer;
const { beginTransaction, commitTransaction } = prototype;
let transactions = 0;

const die = (step) => {
  if (step === at && transactions >= Number(nth)) process.kill(process.pid, 'SIGKILL');
};

prototype.beginTransaction = function begin(done) {
  transactions += 1;
  die('before-begin');
  return beginTransaction.call(this, done);
};
prototype.commitTransaction = function commit(timeout, done) {
  // Everything is produced and, by then, most often delivered; the transaction is open.
  die('before-commit');
  const result = commitTransaction.call(this, timeout, (error) => {
    if (!error) die('after-commit');
    done(error);
  });
  // The request is on its way, or about to be.
  if (at === 'in-commit') setImmediate(() => die('in-commit'));
  return result;
};
