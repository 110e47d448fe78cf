/** Postgres: where it is and how to be let in. */
import { choice, file, int, url } from './kinds.ts';

export const postgresShape = {
  databaseUrl: url(['postgres', 'postgresql'], 'postgres://user:password@host:5432/database').meta({
    description: 'The database; its query may hold what `pg` knows, `sslmode` too. `PGHOST` and its companions will do instead',
    env: ['DATABASE_URL'],
    defaultText: 'needed',
  }),
  databaseUrlFile: file().optional().describe('File that holds `databaseUrl`'),
  databaseTls: choice(['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'])
    .optional()
    .meta({ description: "libpq's sslmode", defaultText: "the URL's" }),
  databaseTlsCaFile: file().optional().meta({ description: 'Certificate authorities of the server (PEM)', defaultText: "Node's" }),
  databaseTlsCertFile: file().optional().describe('Certificate of this client (PEM)'),
  databaseTlsKeyFile: file().optional().describe('Its private key (PEM)'),
  databasePoolMax: int(2, 100, 'connections').default(4).describe('Most connections at a time; each writer holds one while it writes'),
};
