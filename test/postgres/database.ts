/** A database of its own for each test file, with or without the schema. */
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { Stack } from '../../scripts/stack/stack.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { Database } from '../../src/postgres/pool.ts';
import { TEST_STACK } from '../support/stack.ts';

/** Another server than the stack's, to try a version of Postgres: KUBETAPE_TEST_DATABASE_URL. */
async function serverUrl(): Promise<string> {
  const given = process.env['KUBETAPE_TEST_DATABASE_URL'];
  if (given !== undefined) return given;
  const stack = await Stack.up(TEST_STACK, undefined, ['postgres']);
  return stack.databaseUrl;
}

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  readonly database: Database;
  /** Connections of other workers, other roles or through a proxy; closed at the end. */
  connect(change?: (url: URL) => void, more?: { readonly answerWithinMs?: number; readonly poolMax?: number }): Database;
}

/** Dropped when the file's tests are over. */
export async function freshDatabase(options: { readonly schema: boolean } = { schema: true }): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `kubetape_test_${randomBytes(6).toString('hex')}`;
  const admin = new Database({ url: server, applicationName: 'kubetape-test', poolMax: 1 });
  await admin.query(`CREATE DATABASE ${name}`);
  const open: Database[] = [];
  const url = new URL(server);
  url.pathname = `/${name}`;
  const connect: TestDatabase['connect'] = (change = () => undefined, more = {}) => {
    const mine = new URL(url);
    change(mine);
    const database = new Database({ url: mine.toString(), applicationName: 'kubetape-test', poolMax: 4, ...more });
    open.push(database);
    return database;
  };
  const database = connect();
  after(async () => {
    await Promise.all(open.map((one) => one.close()));
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.close();
  });
  if (options.schema) await migrate(database);
  return { url: url.toString(), name, database, connect };
}
