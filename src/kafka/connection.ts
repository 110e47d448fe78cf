/** Where Kafka is and how to be let in, as librdkafka wants it. Owns the driver's configuration names. */
import type { ConsumerGlobalConfig, ProducerGlobalConfig } from 'node-rdkafka';

export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: {
    readonly verify: 'full' | 'ca' | 'none';
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
    readonly keyPassword?: string | undefined;
  };
  readonly sasl?: {
    readonly mechanism: string;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
  };
  /** Any property of librdkafka; wins over what is derived from the rest. */
  readonly properties?: Readonly<Record<string, string>>;
}

type Properties = Record<string, string | number | boolean>;

/** Of every client, producer and consumer alike. */
export function commonProperties(connection: KafkaConnection): ProducerGlobalConfig & ConsumerGlobalConfig {
  const { brokers, clientId, tls, sasl, properties } = connection;
  const protocol = `${sasl === undefined ? '' : 'sasl_'}${tls === undefined ? 'plaintext' : 'ssl'}`;
  const common: Properties = {
    'metadata.broker.list': brokers.join(','),
    'client.id': clientId,
    'security.protocol': protocol,
    'socket.keepalive.enable': true,
    // Nagle's algorithm would hold the small requests of a transaction back.
    'socket.nagle.disable': true,
    'reconnect.backoff.ms': 50,
    'reconnect.backoff.max.ms': 5000,
    'allow.auto.create.topics': false,
    // They come as events, and only there librdkafka says why it cannot connect.
    log_level: 6,
  };
  if (tls !== undefined) {
    common['enable.ssl.certificate.verification'] = tls.verify !== 'none';
    common['ssl.endpoint.identification.algorithm'] = tls.verify === 'full' ? 'https' : 'none';
    if (tls.caFile !== undefined) common['ssl.ca.location'] = tls.caFile;
    if (tls.certFile !== undefined) common['ssl.certificate.location'] = tls.certFile;
    if (tls.keyFile !== undefined) common['ssl.key.location'] = tls.keyFile;
    if (tls.keyPassword !== undefined) common['ssl.key.password'] = tls.keyPassword;
  }
  if (sasl !== undefined) {
    common['sasl.mechanisms'] = sasl.mechanism;
    if (sasl.username !== undefined) common['sasl.username'] = sasl.username;
    if (sasl.password !== undefined) common['sasl.password'] = sasl.password;
  }
  return { ...common, ...properties };
}
