/**
 * What the settings must be to each other. Pure: each check sees what could be read and names what it dislikes.
 */
import { isOwnTopic } from '../events/topics.ts';
import type { Settings } from './roles.ts';

/** Settings as far as they are right and the role has them. */
export type Known = { readonly [K in keyof Settings]?: Settings[K] | undefined };

export interface Conflict {
  /** The setting that is to be changed. */
  readonly key: keyof Settings;
  readonly message: string;
}

type Check = (known: Known) => Conflict | undefined;

/** The first must be given whenever the second is. */
function goesWith(key: keyof Settings, other: keyof Settings): Check {
  return (known) =>
    known[other] !== undefined && known[key] === undefined ? { key, message: `is needed where ${other} is given` } : undefined;
}

function notBoth(key: keyof Settings, other: keyof Settings): Check {
  return (known) =>
    known[key] !== undefined && known[other] !== undefined
      ? { key, message: `is given together with ${other}; one of them is enough` }
      : undefined;
}

function atMost(key: keyof Settings, other: keyof Settings): Check {
  return (known) => {
    const [a, b] = [known[key], known[other]];
    return typeof a === 'number' && typeof b === 'number' && a > b ? { key, message: `must not be more than ${other} (${b})` } : undefined;
  };
}

/** What kubetape promises rests on these properties of librdkafka. */
const OWN_PROPERTIES: ReadonlySet<string> = new Set([
  'transactional.id',
  'enable.idempotence',
  'acks',
  'request.required.acks',
  'isolation.level',
  'enable.auto.commit',
  'enable.auto.offset.store',
  'group.id',
  'partitioner',
  'auto.offset.reset',
]);

export const CHECKS: readonly Check[] = [
  ({ messageTopics }) => {
    const own = messageTopics?.find(isOwnTopic);
    return own === undefined ? undefined : { key: 'messageTopics', message: `${own} is a topic of kubetape itself` };
  },
  ({ databaseUrl, databaseUrlFile }) =>
    databaseUrl === undefined && databaseUrlFile === undefined
      ? {
          key: 'databaseUrl',
          message:
            'is needed: --database-url, DATABASE_URL, PGHOST or databaseUrl in the settings file, like postgres://user@host/database',
        }
      : undefined,
  ({ namespaces, excludeNamespaces }) => {
    const both = (namespaces ?? []).filter((name) => excludeNamespaces?.includes(name));
    return both.length > 0 ? { key: 'excludeNamespaces', message: `excludes ${both.join(', ')}, which namespaces names` } : undefined;
  },
  ({ kafkaSaslMechanism: mechanism, kafkaSaslUsername }) =>
    needsPassword(mechanism) && kafkaSaslUsername === undefined
      ? { key: 'kafkaSaslUsername', message: `is needed for ${mechanism}` }
      : undefined,
  ({ kafkaSaslMechanism: mechanism, kafkaSaslPassword, kafkaSaslPasswordFile }) =>
    needsPassword(mechanism) && kafkaSaslPassword === undefined && kafkaSaslPasswordFile === undefined
      ? { key: 'kafkaSaslPassword', message: `is needed for ${mechanism}: KUBETAPE_KAFKA_SASL_PASSWORD or --kafka-sasl-password-file` }
      : undefined,
  ({ kafkaSaslMechanism, kafkaSaslUsername }) =>
    kafkaSaslMechanism === 'none' && kafkaSaslUsername !== undefined
      ? { key: 'kafkaSaslMechanism', message: 'is needed where kafkaSaslUsername is given' }
      : undefined,
  ({ kafkaTls, kafkaTlsCaFile, kafkaTlsCertFile }) =>
    kafkaTls === false && (kafkaTlsCaFile ?? kafkaTlsCertFile) !== undefined
      ? { key: 'kafkaTls', message: 'must be true where kafkaTlsCaFile or kafkaTlsCertFile is given' }
      : undefined,
  ({ kafkaProperties }) => {
    const own = Object.keys(kafkaProperties ?? {}).filter((name) => OWN_PROPERTIES.has(name));
    return own.length > 0
      ? { key: 'kafkaProperties', message: `must leave ${own.join(', ')} to kubetape: each change exactly once rests on it` }
      : undefined;
  },
  ({ replicationFactor }) => (replicationFactor === 0 ? { key: 'replicationFactor', message: 'must be -1, or 1 and more' } : undefined),
  goesWith('kafkaTlsKeyFile', 'kafkaTlsCertFile'),
  goesWith('kafkaTlsCertFile', 'kafkaTlsKeyFile'),
  goesWith('databaseTlsKeyFile', 'databaseTlsCertFile'),
  goesWith('databaseTlsCertFile', 'databaseTlsKeyFile'),
  notBoth('hmacKey', 'hmacKeyFile'),
  notBoth('kafkaSaslPassword', 'kafkaSaslPasswordFile'),
  notBoth('kafkaTlsKeyPassword', 'kafkaTlsKeyPasswordFile'),
  notBoth('databaseUrl', 'databaseUrlFile'),
  atMost('watchMinSeconds', 'watchMaxSeconds'),
  atMost('transactionMaxRecords', 'ringMaxRecords'),
  atMost('transactionMaxBytes', 'ringMaxBytes'),
  atMost('batchMaxBytes', 'sinkMemoryMaxBytes'),
];

function needsPassword(mechanism: string | undefined): boolean {
  return mechanism === 'PLAIN' || mechanism?.startsWith('SCRAM') === true;
}
