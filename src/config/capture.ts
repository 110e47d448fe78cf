/** The collector: how changes become transactions, how much may wait, and who leads. */
import { bytes, int, text, toggle } from './kinds.ts';

const MIB = 2 ** 20;
const DNS_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export const captureShape = {
  transactionMaxWaitMs: int(0, 10_000, 'ms').default(20).describe('Longest a change waits for company before its transaction closes (ms)'),
  transactionMaxRecords: int(1, 100_000, 'records').default(1000).describe('Most changes in a transaction'),
  transactionMaxBytes: bytes(64 * 1024, 256 * MIB)
    .default(4 * MIB)
    .describe('Most bytes in a transaction'),
  ringMaxRecords: int(100, 1_000_000, 'records')
    .default(20_000)
    .describe('Most changes between the API server and Kafka; when full, nothing more is read'),
  ringMaxBytes: bytes(MIB, 4096 * MIB)
    .default(64 * MIB)
    .describe('Most bytes between the API server and Kafka'),
  leaderElection: toggle()
    .default(true)
    .describe('One collector of several leads, by a Lease; without it only the fence in Kafka keeps them apart'),
  leaseName: text('name', DNS_NAME, 'a name of a Kubernetes object')
    .optional()
    .meta({ description: 'Name of the Lease', defaultText: '`kubetape-<cluster>`' }),
  leaseNamespace: text('namespace', DNS_NAME, 'the name of a namespace')
    .optional()
    .meta({ description: 'Namespace of the Lease', defaultText: "the pod's, else `default`" }),
};
