/** Settings → connections, the same for every role. */
import type { SettingsOf } from '../config/roles.ts';
import { VERSION } from '../config/version.ts';
import type { KafkaConnection } from '../kafka/connection.ts';
import type { DatabaseSettings } from '../postgres/pool.ts';
import { Database } from '../postgres/pool.ts';

type KafkaSettings = Pick<
  SettingsOf<'topics'>,
  | 'kafkaBrokers'
  | 'kafkaTls'
  | 'kafkaTlsVerify'
  | 'kafkaTlsCaFile'
  | 'kafkaTlsCertFile'
  | 'kafkaTlsKeyFile'
  | 'kafkaTlsKeyPassword'
  | 'kafkaSaslMechanism'
  | 'kafkaSaslUsername'
  | 'kafkaSaslPassword'
  | 'kafkaProperties'
>;

export function kafkaConnection(settings: KafkaSettings, role: string): KafkaConnection {
  return {
    brokers: settings.kafkaBrokers,
    clientId: `kubetape-${role}`,
    ...(settings.kafkaTls
      ? {
          tls: {
            verify: settings.kafkaTlsVerify,
            caFile: settings.kafkaTlsCaFile,
            certFile: settings.kafkaTlsCertFile,
            keyFile: settings.kafkaTlsKeyFile,
            keyPassword: settings.kafkaTlsKeyPassword,
          },
        }
      : {}),
    ...(settings.kafkaSaslMechanism === 'none'
      ? {}
      : { sasl: { mechanism: settings.kafkaSaslMechanism, username: settings.kafkaSaslUsername, password: settings.kafkaSaslPassword } }),
    properties: settings.kafkaProperties,
  };
}

type PostgresSettings = Pick<
  SettingsOf<'migrate'>,
  'databaseUrl' | 'databaseTls' | 'databaseTlsCaFile' | 'databaseTlsCertFile' | 'databaseTlsKeyFile' | 'databasePoolMax'
>;

export function databaseOf(settings: PostgresSettings, role: string): Database {
  const database: DatabaseSettings = {
    url: settings.databaseUrl,
    tls: {
      mode: settings.databaseTls,
      caFile: settings.databaseTlsCaFile,
      certFile: settings.databaseTlsCertFile,
      keyFile: settings.databaseTlsKeyFile,
    },
    applicationName: `kubetape-${role} ${VERSION}`,
    poolMax: settings.databasePoolMax,
  };
  return new Database(database);
}
