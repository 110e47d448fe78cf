/** Records of `kubetape-checkpoints` → rows of k8s.watches. Pure. */
import { KubetapeError } from '../events/errors.ts';
import type { CheckpointRecord } from '../events/state.ts';
import type { WatchRow } from './ports.ts';

/** @throws KubetapeError RECORD_INVALID, RECORD_NEWER */
export function watchOf(key: string, value: Buffer): WatchRow {
  const [cluster = '', resource = '', namespace = ''] = key.split('/');
  let checkpoint: Partial<CheckpointRecord> | null;
  try {
    checkpoint = JSON.parse(value.toString('utf8')) as Partial<CheckpointRecord> | null;
  } catch {
    throw new KubetapeError('RECORD_INVALID', 'the checkpoint is not valid JSON');
  }
  const { v, resourceVersion, epoch, ts, since, unwatchedMs = 0 } = checkpoint ?? {};
  if (Number.isInteger(v) && (v as number) > 1)
    throw new KubetapeError('RECORD_NEWER', `the checkpoint has version ${String(v)}, this binary knows 1`);
  const seenMs = Date.parse(String(ts));
  // Older collectors do not say since when.
  const sinceMs = since === undefined ? seenMs : Date.parse(since);
  const valid = {
    key: cluster !== '' && resource !== '',
    resourceVersion: /^\d{1,18}$/.test(resourceVersion ?? ''),
    epoch: Number.isInteger(epoch),
    ts: !Number.isNaN(seenMs),
    since: !Number.isNaN(sinceMs),
    unwatchedMs: Number.isFinite(unwatchedMs),
  };
  for (const [field, isValid] of Object.entries(valid))
    if (!isValid) throw new KubetapeError('RECORD_INVALID', `the checkpoint has no valid field "${field}"`);
  return { cluster, resource, namespace, resourceVersion: resourceVersion ?? '', epoch: epoch ?? 0, seenMs, sinceMs, unwatchedMs };
}
