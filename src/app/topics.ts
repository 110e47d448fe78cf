/** The role `topics`: creates what is missing, and says how the rest differs. */
import type { SettingsOf } from '../config/roles.ts';
import { messageSpecs, topicSpecs } from '../events/topics.ts';
import { ensureTopics } from '../kafka/admin.ts';
import { kafkaConnection } from './connections.ts';
import type { Out } from './out.ts';

export async function topics(settings: SettingsOf<'topics'>, out: Out): Promise<void> {
  const { messageTopics, resources, topicPrefix: prefix, partitions, partitionsOf } = settings;
  const specs =
    messageTopics.length > 0
      ? messageSpecs(messageTopics, { prefix, partitions })
      : topicSpecs(resources, { prefix, partitions, partitionsOf });
  const outcomes = await ensureTopics(kafkaConnection(settings, 'topics'), specs, settings.replicationFactor);
  for (const { topic, action, detail } of outcomes) {
    const line = `${topic} ${action}${detail === '' ? '' : `: ${detail}`}`;
    if (action === 'differs') out.warn(line);
    else out.ok(line);
  }
}
