/** k8s.load_jobs: which files were loaded, and how it went. For people; what makes a load exact is in Kafka. */
import type { Database } from './pool.ts';

export interface LoadJob {
  readonly topic: string;
  readonly sha256: string;
  readonly file: string;
  readonly format: 'csv' | 'ndjson';
  readonly bytes: number;
}

export async function beginLoad(database: Database, { topic, sha256, file, format, bytes }: LoadJob): Promise<void> {
  await database.query(
    `INSERT INTO k8s.load_jobs (topic, sha256, file, format, bytes, status) VALUES ($1, $2, $3, $4, $5, 'running')
     ON CONFLICT (topic, sha256) DO UPDATE
        SET status = 'running', attempts = load_jobs.attempts + 1, file = excluded.file, message = NULL, started_at = now(), finished_at = NULL
      WHERE load_jobs.status <> 'done'`,
    [topic, sha256, file, format, bytes],
  );
}

/** @param message why it failed; null where it is done */
export async function endLoad(database: Database, { topic, sha256 }: LoadJob, records: number, message: string | null): Promise<void> {
  await database.query(
    `UPDATE k8s.load_jobs SET status = $3, records = $4, message = $5, finished_at = now()
      WHERE topic = $1 AND sha256 = $2 AND status <> 'done'`,
    [topic, sha256, message === null ? 'done' : 'failed', records, message],
  );
}
