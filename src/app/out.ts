/** How a role that runs once tells a person what it does; src/cli/ renders it. */
export interface Out {
  /** Something is done, or good already. */
  ok(message: string): void;
  warn(message: string): void;
  /** @param remedy what to do about it */
  fail(message: string, remedy: string): void;
  /** A fact, without a mark. */
  line(message: string): void;
}
