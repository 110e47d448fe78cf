/** What a verb sees of the world around it. */
import type { Command } from 'commander';

export interface Context {
  /** How the program was called: `kubetape`, or `kubectl tape`. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** What the process ends with. */
  exitCode: number;
  /** What it ends with instead of 1 where the verb fails: a difference is 1 already. */
  failureCode?: number;
}

/** A verb describes itself on its command: arguments, options, help, and what it does. */
export type Define = (command: Command, context: Context) => void;
