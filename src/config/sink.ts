/** The sink: its consumer group, and how records become batches. */
import { bytes, int, text } from './kinds.ts';

const MIB = 2 ** 20;
const GROUP = /^[A-Za-z0-9._-]{1,200}$/;

export const SINK_GROUP = 'kubetape-sink';

export const sinkShape = {
  sinkGroup: text('name', GROUP, 'letters, digits, dots, dashes and underscores')
    .default(SINK_GROUP)
    .describe('Consumer group; the sinks of one database share it'),
  sinkInstanceId: text('name', GROUP, 'letters, digits, dots, dashes and underscores')
    .optional()
    .describe('Static membership: a sink that comes back under the same name keeps its partitions'),
  batchMaxRows: int(1, 100_000, 'rows').default(1000).describe('Most rows in a database transaction'),
  batchMaxBytes: bytes(64 * 1024, 256 * MIB)
    .default(4 * MIB)
    .describe('Most bytes in a database transaction'),
  batchMaxWaitMs: int(0, 60_000, 'ms').default(50).describe('Longest a change waits for company before it is written (ms)'),
  writersMax: int(1, 32, 'writers').default(2).describe('Most database transactions at a time'),
  sinkMemoryMaxBytes: bytes(MIB, 16_384 * MIB)
    .default(64 * MIB)
    .describe('Most bytes of records in memory; when full, no more are fetched'),
};
