/** Kafka's jars from Maven Central, and those of Kafka Connect with a JDBC sink. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { artifact } from './artifact.mjs';
import { CONNECT_HOME, KAFKA_HOME } from './places.mjs';
import { runTool } from './progress.mjs';
import { DEBEZIUM, KAFKA } from './versions.mjs';

export function fetchKafka() {
  return fetchJars('kafka', KAFKA_HOME, [
    ['org.apache.kafka', 'kafka_2.13', KAFKA],
    ['org.apache.kafka', 'kafka-tools', KAFKA],
  ]);
}

export function fetchConnect() {
  return fetchJars('connect', CONNECT_HOME, [
    ['org.apache.kafka', 'connect-runtime', KAFKA],
    ['org.apache.kafka', 'connect-json', KAFKA],
    ['io.debezium', 'debezium-connector-jdbc', DEBEZIUM],
  ]);
}

/** What these need to run, in `libs`. */
async function fetchJars(name, home, artifacts) {
  await artifact(home, async (building) => {
    const dependencies = artifacts.map(
      ([group, id, version]) =>
        `<dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${version}</version></dependency>`,
    );
    const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>kubetape.local</groupId><artifactId>${name}</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>\n`;
    const file = path.join(building, 'pom.xml');
    writeFileSync(file, pom);
    await runTool(name, 'mvn', [
      '-B',
      '-q',
      '-f',
      file,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${path.join(building, 'libs')}`,
    ]);
  });
}
