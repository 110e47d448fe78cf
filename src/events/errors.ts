/**
 * One error class with a closed list of codes. A driver's error becomes `cause`; no message or field ever holds an
 * object's body or a secret.
 */
interface CodeFacts {
  /** True when trying again later can succeed without anybody doing anything. */
  readonly retryable: boolean;
  /** What to do, for a tired person. */
  readonly hint: string;
}

export const ERROR_CODES = {
  CONFIG_INVALID: { retryable: false, hint: 'Correct the settings named above; `kubetape config show` prints them all.' },
  KUBE_UNREACHABLE: { retryable: true, hint: 'Is the API server up and the kubeconfig context right? `kubectl version` tells.' },
  KUBE_UNAUTHORIZED: { retryable: true, hint: 'The API server does not accept the credentials of this kubeconfig or ServiceAccount.' },
  KUBE_FORBIDDEN: { retryable: true, hint: 'Grant get, list and watch on the resource; `kubetape check` names what is missing.' },
  KUBE_NOT_FOUND: { retryable: true, hint: '`kubectl api-resources` lists what this cluster serves.' },
  KUBE_PROTOCOL: { retryable: true, hint: 'The API server or a proxy in between sent something that is not a watch stream.' },
  LEASE_LOST: {
    retryable: false,
    hint: 'Another collector leads; start again to stand by.',
  },
  KAFKA_UNREACHABLE: { retryable: true, hint: 'Check --kafka-brokers and the listener that the brokers advertise.' },
  KAFKA_UNAUTHORIZED: { retryable: false, hint: 'Check the SASL and TLS settings of Kafka, and the ACLs of this user.' },
  KAFKA_TOPIC_MISSING: { retryable: false, hint: 'Run `kubetape topics` to create what is missing.' },
  KAFKA_FENCED: {
    retryable: false,
    hint: 'Another collector of the same cluster has taken over, or this one was held up for longer than a transaction may last; start it again.',
  },
  KAFKA_WRITER_LOST: { retryable: false, hint: 'Whoever starts again reads what was committed, and goes on from there.' },
  KAFKA_FAILED: { retryable: true, hint: 'The transaction is repeated; look at the broker if this goes on.' },
  RECORD_INVALID: { retryable: false, hint: 'The record is in k8s.dead_letters.' },
  RECORD_NEWER: { retryable: false, hint: 'Upgrade the sinks before the collector.' },
  ROW_REJECTED: { retryable: false, hint: 'The record is in k8s.dead_letters.' },
  LETTER_UNKNOWN: { retryable: false, hint: '`kubetape dlq list --retried` shows all ids that there are.' },
  POSTGRES_UNREACHABLE: { retryable: true, hint: 'Check --database-url; sinks wait until the database is back.' },
  POSTGRES_UNAUTHORIZED: { retryable: false, hint: 'Check the user, password and grants in --database-url.' },
  POSTGRES_READ_ONLY: { retryable: true, hint: 'The database is read-only: a standby, or a fail-over under way. Sinks wait.' },
  POSTGRES_FAILED: { retryable: false, hint: 'The database refused the statement for a reason that waiting does not mend.' },
  SCHEMA_MISSING: { retryable: false, hint: 'Run `kubetape migrate` first.' },
  SCHEMA_NEWER: { retryable: false, hint: 'The database was migrated by a newer kubetape; upgrade this one.' },
  OFFSET_FENCED: { retryable: true, hint: 'Another worker owns the partition now; this one reads its position again.' },
  OFFSET_LOST: { retryable: false, hint: 'The topic no longer holds what the database expects next.' },
  NOT_RECORDED: { retryable: false, hint: 'What is asked for was never recorded, or is not kept any more.' },
  QUESTION_INVALID: { retryable: false, hint: '`--help` of the verb shows what can be asked.' },
  INTERNAL: { retryable: false, hint: 'This is a defect of kubetape: please report it.' },
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

export class KubetapeError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown; readonly hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KubetapeError';
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.hint = options.hint ?? ERROR_CODES[code].hint;
  }
}

export function isCode(error: unknown, ...codes: readonly ErrorCode[]): error is KubetapeError {
  return error instanceof KubetapeError && codes.includes(error.code);
}
