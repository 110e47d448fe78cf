/** Kafka: where it is, how to be let in, and the topics' names and sizes. */
import { choice, file, int, list, map, mapValue, secret, text, toggle } from './kinds.ts';

const BROKER = /^(\[[0-9a-fA-F:.]+\]|[^\s,:/[\]]+)(:\d{1,5})?$/;

export const kafkaShape = {
  kafkaBrokers: list('brokers', BROKER, 'host:port, more of them separated by commas')
    .default(['localhost:9092'])
    .meta({ description: 'Brokers to ask first', env: ['KAFKA_BROKERS'] }),
  topicPrefix: text('prefix', /^[A-Za-z0-9._-]{0,100}$/, 'letters, digits, dots, dashes and underscores')
    .default('')
    .describe('Before every topic, for example `prod.`'),
  kafkaTls: toggle().default(false).describe('Speak TLS with the brokers'),
  kafkaTlsVerify: choice(['full', 'ca', 'none'])
    .default('full')
    .describe("What of the broker's certificate is verified: `full` also its host name, `ca` its issuer only"),
  kafkaTlsCaFile: file().optional().meta({ description: 'Certificate authorities of the brokers (PEM)', defaultText: "the system's" }),
  kafkaTlsCertFile: file().optional().describe('Certificate of this client (PEM), for mutual TLS'),
  kafkaTlsKeyFile: file().optional().describe('Its private key (PEM)'),
  kafkaTlsKeyPassword: secret().optional().describe('Password of the private key'),
  kafkaTlsKeyPasswordFile: file().optional().describe('File that holds `kafkaTlsKeyPassword`'),
  kafkaSaslMechanism: choice(['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'GSSAPI', 'OAUTHBEARER'])
    .default('none')
    .describe('How to log in; details of GSSAPI and OAUTHBEARER go into `kafkaProperties`'),
  kafkaSaslUsername: text('name').optional().describe('User'),
  kafkaSaslPassword: secret().optional().describe('Password'),
  kafkaSaslPasswordFile: file().optional().describe('File that holds `kafkaSaslPassword`'),
  kafkaProperties: map(mapValue.text, 'key=value', /^[a-z][a-z0-9._]*$/, 'properties of librdkafka as key=value', { secret: 'map' })
    .default({})
    .meta({ description: 'Further properties of librdkafka, which win over the settings above', flag: '--kafka-property' }),
};

export const topicsShape = {
  partitions: int(1, 1000).default(3).describe('Partitions of a new topic'),
  partitionsOf: map(mapValue.int(1, 1000), 'resource=n', /^[a-z0-9.-]+$/, 'resource=number, like pods=12')
    .default({})
    .describe('Partitions of the new topics of single resources, like `pods=12`'),
  replicationFactor: int(-1, 100).default(-1).meta({ description: 'Replicas of a new topic; -1 takes what the brokers are set to' }),
};
