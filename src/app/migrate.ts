/** The role `migrate`: the schema, and the tables of the default resources. */
import type { SettingsOf } from '../config/roles.ts';
import { checkSchema, migrate as applyMigrations } from '../postgres/migrate.ts';
import { PostgresStore } from '../postgres/store.ts';
import { DEFAULT_TABLES } from '../sinks/columns.ts';
import { databaseOf } from './connections.ts';
import type { Out } from './out.ts';

export async function migrate(settings: SettingsOf<'migrate'>, out: Out): Promise<void> {
  const database = databaseOf(settings, 'migrate');
  try {
    const applied = await applyMigrations(database);
    for (const { version, name } of applied) out.ok(`migration ${version} (${name}) applied`);
    const store = new PostgresStore(database);
    for (const table of DEFAULT_TABLES) await store.ensureTable(table);
    const status = await checkSchema(database);
    out.ok(`the schema is at version ${status.applied}${applied.length === 0 ? '; nothing to do' : ''}`);
  } finally {
    await database.close();
  }
}
