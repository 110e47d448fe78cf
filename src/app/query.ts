/** A person's own statements to the database. */
import type { SettingsOf } from '../config/roles.ts';
import { checkSchema } from '../postgres/migrate.ts';
import { columnsOf, rowsOf, runQuery, tablesOf, type Answer, type ColumnFacts, type TableFacts } from '../postgres/query.ts';
import { databaseOf } from './connections.ts';

export type SqlAnswer = Answer;

export interface Sql {
  run(text: string): Promise<Answer>;
  tables(): Promise<TableFacts[]>;
  columns(table: string): Promise<ColumnFacts[]>;
  rows(table: string, limit: number): Promise<Answer>;
}

/** @throws KubetapeError SCHEMA_*, POSTGRES_* */
export async function withSql(settings: SettingsOf<'ask'>, work: (sql: Sql) => Promise<void>): Promise<void> {
  const database = databaseOf(settings, 'cli');
  try {
    await checkSchema(database);
    await work({
      run: (text) => runQuery(database, text),
      tables: () => tablesOf(database),
      columns: (table) => columnsOf(database, table),
      rows: (table, limit) => rowsOf(database, table, limit),
    });
  } finally {
    await database.close();
  }
}
