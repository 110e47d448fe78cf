/** Which settings each role has, and what they are once they are read. */
import { z } from 'zod';
import { auditShape } from './audit.ts';
import { captureShape } from './capture.ts';
import { kafkaShape, topicsShape } from './kafka.ts';
import { kubernetesShape, resourcesShape } from './kubernetes.ts';
import { messagesShape } from './messages.ts';
import { postgresShape } from './postgres.ts';
import { httpShape, logShape } from './process.ts';
import { retentionShape } from './retention.ts';
import { sinkShape } from './sink.ts';

/** Concerns in the order in which help and README show them. */
export const CONCERNS = {
  resources: { title: 'What is recorded', shape: resourcesShape },
  messages: { title: 'Other topics', shape: messagesShape },
  kubernetes: { title: 'Kubernetes', shape: kubernetesShape },
  kafka: { title: 'Kafka', shape: kafkaShape },
  topics: { title: 'Topics', shape: topicsShape },
  capture: { title: 'Collector', shape: captureShape },
  database: { title: 'Postgres', shape: postgresShape },
  sink: { title: 'Sink', shape: sinkShape },
  retention: { title: 'Retention', shape: retentionShape },
  audit: { title: 'Audit', shape: auditShape },
  http: { title: 'Metrics and health', shape: httpShape },
  log: { title: 'Log', shape: logShape },
} as const satisfies Record<string, { title: string; shape: Record<string, z.ZodType> }>;

export type Concern = keyof typeof CONCERNS;

const EVERYTHING = {
  ...resourcesShape,
  ...messagesShape,
  ...kubernetesShape,
  ...kafkaShape,
  ...topicsShape,
  ...captureShape,
  ...postgresShape,
  ...sinkShape,
  ...retentionShape,
  ...httpShape,
  ...logShape,
};

/** What a question is asked with: which cluster, and the namespace that the kubeconfig's context has. */
const { cluster, kubeconfig, context } = kubernetesShape;

/** One schema per role, each a selection of the same concerns. */
export const SCHEMAS = {
  collect: z.object({ ...resourcesShape, ...kubernetesShape, ...kafkaShape, ...captureShape, ...httpShape, ...logShape }),
  sink: z.object({
    ...resourcesShape,
    ...messagesShape,
    ...kafkaShape,
    ...postgresShape,
    ...sinkShape,
    ...retentionShape,
    ...httpShape,
    ...logShape,
  }),
  run: z.object(EVERYTHING),
  snapshot: z.object({ ...resourcesShape, ...kubernetesShape, ...kafkaShape, ...captureShape, ...logShape }),
  audit: z.object({
    ...resourcesShape,
    ...kubernetesShape,
    ...kafkaShape,
    ...captureShape,
    ...postgresShape,
    ...auditShape,
    ...httpShape,
    ...logShape,
  }),
  topics: z.object({ ...resourcesShape, ...messagesShape, ...kafkaShape, ...topicsShape, ...logShape }),
  load: z.object({ ...messagesShape, ...kafkaShape, ...postgresShape, ...logShape }),
  migrate: z.object({ ...resourcesShape, ...postgresShape, ...logShape }),
  retention: z.object({ ...postgresShape, ...retentionShape, ...logShape }),
  check: z.object(EVERYTHING),
  dlq: z.object({ ...postgresShape }),
  ask: z.object({ cluster, kubeconfig, context, ...postgresShape }),
  status: z.object({ cluster, ...kafkaShape, ...postgresShape }),
  tail: z.object({ cluster, kubeconfig, context, ...kafkaShape }),
} as const;

export type Role = keyof typeof SCHEMAS;
export type SettingsOf<R extends Role> = Readonly<z.output<(typeof SCHEMAS)[R]>>;
/** Every setting: what `run` and `check` have. Fits wherever fewer are asked for. */
export type Settings = SettingsOf<'run'>;

export const ROLES = Object.keys(SCHEMAS) as Role[];

export function isRole(name: string): name is Role {
  return Object.hasOwn(SCHEMAS, name);
}
