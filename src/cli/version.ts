/** `kubetape version` */
import process from 'node:process';
import { Option } from 'commander';
import { VERSION } from '../config/version.ts';
import type { Define } from './context.ts';

export const defineVersion: Define = (command, context) => {
  command
    .description('Print the version of kubetape and of what it runs on.')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
    .action(({ output }: { readonly output: string }) => {
      const facts = { version: VERSION, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
      context.stdout.write(
        output === 'json' ? `${JSON.stringify(facts, null, 2)}\n` : `kubetape ${facts.version} (node ${facts.node}, ${facts.platform})\n`,
      );
    });
};
