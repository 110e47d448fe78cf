/** Topics that are not kubetape's own: any JSON. */
import { list } from './kinds.ts';

export const messagesShape = {
  messageTopics: list('topic', /^[A-Za-z0-9._-]{1,200}$/, 'names of topics: letters, digits, dots, dashes and underscores')
    .default([])
    .meta({
      description:
        'Topics of any JSON, in place of the recorded resources: `sink` keeps each in a table of its own, `topics` creates them, `load` writes to one',
      flag: '--topic',
      env: [],
    }),
};
