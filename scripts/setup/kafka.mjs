/** Kafka's jars from Maven Central. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { artifact } from './artifact.mjs';
import { KAFKA_HOME } from './places.mjs';
import { runTool } from './progress.mjs';
import { KAFKA } from './versions.mjs';

export async function fetchKafka() {
  await artifact(KAFKA_HOME, async (building) => {
    const dependency = (id) =>
      `<dependency><groupId>org.apache.kafka</groupId><artifactId>${id}</artifactId><version>${KAFKA}</version></dependency>`;
    const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>kubetape.local</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>${dependency('kafka_2.13')}${dependency('kafka-tools')}</dependencies></project>\n`;
    const file = path.join(building, 'pom.xml');
    writeFileSync(file, pom);
    await runTool('kafka', 'mvn', [
      '-B',
      '-q',
      '-f',
      file,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${path.join(building, 'libs')}`,
    ]);
  });
}
