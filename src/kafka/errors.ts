/** What librdkafka's errors mean to kubetape. */
import { KubetapeError, type ErrorCode } from '../events/errors.ts';

/** What node-rdkafka throws, calls back with and emits. */
export interface DriverError {
  readonly message?: string;
  readonly code?: number;
  readonly isFatal?: boolean;
  readonly isTxnRequiresAbort?: boolean;
}

const UNREACHABLE: ReadonlySet<number> = new Set([-195, -193, -187, -185, -192]); // transport, resolve, all brokers down, timed out, message timed out
const UNAUTHORIZED: ReadonlySet<number> = new Set([-181, -169, 29, 30, 31, 53, 58]); // SSL, authentication; topic, group, cluster, transactional id authorization; SASL failed
const MISSING: ReadonlySet<number> = new Set([-188, 3]); // unknown topic, unknown topic or partition
const FENCED: ReadonlySet<number> = new Set([-144, 22, 47, 90]); // fenced, illegal generation (sinks), invalid producer epoch, producer fenced

export const TIMED_OUT = -185;
export const QUEUE_FULL = -184;
export const STATE = -172;
export const FATAL = -150;
export const ASSIGN = -175;
export const REVOKE = -174;

export function isFenced(error: DriverError): boolean {
  return (error.code !== undefined && FENCED.has(error.code) && error.code !== 22) || /fenced/i.test(error.message ?? '');
}

/** @param doing completes "Kafka: …", for example "committing a transaction" */
export function kafkaError(error: unknown, doing: string, brokers: readonly string[]): KubetapeError {
  if (error instanceof KubetapeError) return error;
  const { code, message } = error as DriverError;
  const text = `${doing}: ${message ?? 'unknown error'}${code === undefined ? '' : ` (${code})`}`;
  const where = brokers.join(', ');
  if (isFenced(error as DriverError)) return new KubetapeError('KAFKA_FENCED', `Kafka: ${text}`);
  const is = codeOf(code);
  return new KubetapeError(is, is === 'KAFKA_UNREACHABLE' ? `no answer from Kafka at ${where}; ${text}` : `Kafka at ${where}: ${text}`);
}

function codeOf(code: number | undefined): ErrorCode {
  if (code === undefined) return 'KAFKA_FAILED';
  if (UNREACHABLE.has(code)) return 'KAFKA_UNREACHABLE';
  if (UNAUTHORIZED.has(code)) return 'KAFKA_UNAUTHORIZED';
  if (MISSING.has(code)) return 'KAFKA_TOPIC_MISSING';
  return 'KAFKA_FAILED';
}

/**
 * Why no connection comes about.
 * @param logged librdkafka's line: `[thrd:…]: sasl_ssl://host:port/bootstrap: what happened (after 4ms in state …)`
 * @returns undefined where the line is about something else
 */
export function refusalOf(logged: string, brokers: readonly string[]): KubetapeError | undefined {
  const what = logged
    .replace(/^\[thrd:[^\]]*\]: /, '')
    .replace(/^[a-z_]+:\/\/\S+: /, '')
    .replaceAll(/error:[0-9A-F]+:/g, '')
    .replace(/ \(after .*$/, '')
    .replace(/ \(install [^)]*\)/, '')
    .slice(0, 300);
  const where = brokers.join(', ');
  if (/authentication (error|fail)/i.test(what)) return new KubetapeError('KAFKA_UNAUTHORIZED', `Kafka at ${where}: ${what}`);
  if (/certificate/i.test(what)) return new KubetapeError('KAFKA_UNAUTHORIZED', `Kafka at ${where}: ${what}`, { hint: CERTIFICATE_HINT });
  if (logged.includes('in state APIVERSION_QUERY')) {
    const hint = 'The listener may speak TLS (--kafka-tls), or want a login (--kafka-sasl-mechanism).';
    return new KubetapeError('KAFKA_UNREACHABLE', `Kafka at ${where} hangs up on the first request: ${what}`, { hint });
  }
  if (/fail|error|refused|disconnected/i.test(what))
    return new KubetapeError('KAFKA_UNREACHABLE', `no answer from Kafka at ${where}: ${what}`);
  return undefined;
}

const CERTIFICATE_HINT =
  'Check --kafka-tls-ca-file, and that the certificate names the host in --kafka-brokers (--kafka-tls-verify=ca goes without the name).';
