/** What every long-running role has: its HTTP port and its log. */
import { choice, port, text } from './kinds.ts';

export const HTTP_PORTS = { collect: 9464, sink: 9465, run: 9466, audit: 9467 } as const;

export const httpShape = {
  httpHost: text('address', /^\S+$/, 'a host name or address')
    .default('127.0.0.1')
    .meta({ description: 'Address of /metrics, /health and /ready', defaultText: '`127.0.0.1`; in a pod every address' }),
  httpPort: port().default(HTTP_PORTS.run).meta({
    description: 'Port of /metrics, /health and /ready; 0 takes a free one, `off` serves none',
    defaultText: 'collect `9464`, sink `9465`, run `9466`, audit `9467`',
  }),
};

export const logShape = {
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least severe line that is logged'),
  logFormat: choice(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('Form of the log on stderr; `auto` is pretty on a terminal and JSON elsewhere'),
};
