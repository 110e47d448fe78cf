/** The stack's Kafka with listeners that ask who is there: SASL over TLS, and certificates of clients. */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { freePorts } from '../../scripts/stack/ports.ts';
import { endProcess, launch, type ProcessId } from '../../scripts/stack/processes.ts';
import { javaArgs } from '../../scripts/stack/servers.ts';
import type { Stack } from '../../scripts/stack/stack.ts';
import type { PemFiles } from './certificates.ts';
import { until } from './kube.ts';

export interface SecureKafka {
  /** SASL (PLAIN, SCRAM) over TLS. */
  readonly sasl: string;
  /** TLS with certificates on both sides. */
  readonly mutual: string;
  close(): Promise<void>;
}

export interface SecureKafkaUsers {
  /** May do everything. */
  readonly admin: { readonly name: string; readonly password: string };
  /** Is known, and may do nothing. */
  readonly stranger: { readonly name: string; readonly password: string };
  /** The subject of the certificate that may do everything. */
  readonly certificate: string;
}

/** In place of the stack's own broker, on its data and with its plain listener. */
export async function secureKafka(stack: Stack, server: PemFiles, caFile: string, users: SecureKafkaUsers): Promise<SecureKafka> {
  await stack.stop('kafka');
  const [sasl = 0, mutual = 0] = await freePorts(2);
  const dir = path.join(stack.dir, 'kafka');
  const plainly = properties(readFileSync(path.join(dir, 'server.properties'), 'utf8'));
  const keyStore = path.join(dir, 'broker.pem');
  writeFileSync(keyStore, readFileSync(server.key, 'utf8') + readFileSync(server.cert, 'utf8'), { mode: 0o600 });
  const { admin, stranger, certificate } = users;
  const known = [admin, stranger].map(({ name, password }) => `user_${name}="${password}"`).join(' ');
  const all = {
    ...plainly,
    listeners: `${plainly['listeners']},SASL://127.0.0.1:${sasl},MUTUAL://127.0.0.1:${mutual}`,
    'advertised.listeners': `${plainly['advertised.listeners']},SASL://127.0.0.1:${sasl},MUTUAL://127.0.0.1:${mutual}`,
    'listener.security.protocol.map': `${plainly['listener.security.protocol.map']},SASL:SASL_SSL,MUTUAL:SSL`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    'listener.name.mutual.ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.sasl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${known};`,
    'listener.name.sasl.scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:ANONYMOUS;User:${admin.name};User:CN=${certificate}`,
  };
  const file = path.join(dir, 'secure.properties');
  writeFileSync(file, lines(all), { mode: 0o600 });
  const id = launch(
    { command: 'java', args: [...javaArgs('512m', dir), 'kafka.Kafka', file], env: { LC_ALL: 'C' } },
    path.join(stack.dir, 'logs', 'secure-kafka.log'),
  );
  await until('the broker with its listeners', async () => (await listens(sasl)) && (await listens(mutual)), 60_000);
  for (const { name, password } of [admin, stranger]) await scramUser(stack, name, password);
  return { sasl: `127.0.0.1:${sasl}`, mutual: `127.0.0.1:${mutual}`, close: () => ended(id) };
}

async function scramUser(stack: Stack, name: string, password: string): Promise<void> {
  const args = ['--bootstrap-server', stack.brokers, '--alter', '--entity-type', 'users', '--entity-name', name];
  const tool = stack.kafkaTool('kafka.admin.ConfigCommand', [...args, '--add-config', `SCRAM-SHA-512=[password=${password}]`]);
  let said = '';
  tool.stdout?.on('data', (chunk: Buffer) => (said += String(chunk)));
  tool.stderr?.on('data', (chunk: Buffer) => (said += String(chunk)));
  const code = await new Promise<number | null>((resolve) => tool.once('exit', resolve));
  if (code !== 0) throw new Error(`the SCRAM user ${name} could not be made: ${said.replaceAll(password, '***')}`);
}

async function ended(id: ProcessId): Promise<void> {
  await endProcess(id, 15_000);
}

function properties(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function lines(config: Readonly<Record<string, string>>): string {
  return Object.entries(config)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
