/** The role `migrate`: the schema, and the tables of the default resources. */
import type { SettingsOf } from '../config/roles.ts';
import { checkSchema, migrate as applyMigrations } from '../postgres/migrate.ts';
import { ensureReader, READER } from '../postgres/reader.ts';
import { PostgresStore } from '../postgres/store.ts';
import { DEFAULT_TABLES } from '../columns/columns.ts';
import { databaseOf } from './connections.ts';
import type { Out } from './out.ts';

export async function migrate(settings: SettingsOf<'migrate'>, out: Out): Promise<void> {
  const database = databaseOf(settings, 'migrate');
  try {
    const applied = await applyMigrations(database);
    for (const { version, name } of applied) out.ok(`migration ${version} (${name}) applied`);
    const store = new PostgresStore(database);
    for (const table of DEFAULT_TABLES) await store.ensureTable(table);
    const reader = await ensureReader(database);
    if (reader.kind === 'created') out.ok(`role ${READER} created: GRANT it to who may read everything`);
    if (reader.kind === 'forbidden')
      out.warn(`there is no role ${READER}, and this user may not create it; a superuser may: ${reader.sql}; then migrate again`);
    const status = await checkSchema(database);
    out.ok(`the schema is at version ${status.applied}${applied.length === 0 ? '; nothing to do' : ''}`);
  } finally {
    await database.close();
  }
}
