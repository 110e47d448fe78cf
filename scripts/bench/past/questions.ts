/** What is asked of the past, and how soon the answer should be there. */

export interface Question {
  readonly about: string;
  readonly sql: string;
  /** undefined where nothing is promised. */
  readonly limitMs?: number;
}

/** `$uid` is a pod, `$since` a quarter of an hour before the last change. */
export const QUESTIONS: readonly Question[] = [
  ...[0.04, 1, 10, 29].map((days) => ({
    about: `pods_at, ${days} days ago`,
    sql: `SELECT namespace, name, phase, ready, restarts, node, images FROM k8s.pods_at(now() - interval '${days} days')`,
    limitMs: 300,
  })),
  { about: 'pods_at, with all objects', sql: "SELECT * FROM k8s.pods_at(now() - interval '10 days')" },
  {
    about: 'history of one object',
    sql: `SELECT changed_at, op, resource_version, by_manager FROM k8s.pods_history WHERE uid = '$uid' ORDER BY changed_at DESC`,
    limitMs: 5,
  },
  {
    about: 'a namespace, the last 15 minutes',
    sql: "SELECT changed_at, op, name, by_manager FROM k8s.pods_history WHERE namespace = 'ns-7' AND changed_at > '$since' ORDER BY changed_at DESC",
    limitMs: 50,
  },
  {
    about: 'the same of every resource',
    sql: "SELECT changed_at, resource, op, name, by_manager FROM k8s.changes WHERE namespace = 'ns-7' AND changed_at > '$since'",
    limitMs: 50,
  },
  {
    about: 'the same, with summaries',
    sql: "SELECT changed_at, resource, op, name, summary FROM k8s.changes WHERE namespace = 'ns-7' AND changed_at > '$since'",
    limitMs: 50,
  },
  {
    about: 'the same, relative to now()',
    sql: "SELECT changed_at, resource, op, name, summary FROM k8s.changes WHERE namespace = 'ns-7' AND changed_at > now() - (now() - '$since'::timestamptz)",
  },
  { about: 'the newest 50 changes', sql: 'SELECT changed_at, resource, op, name, summary FROM k8s.changes LIMIT 50' },
];

export interface Command {
  readonly line: string;
  /** undefined where nothing is promised: the answer is as large as the cluster. */
  readonly limitMs?: number;
}

/** As people type them, at a cluster of 10,000 pods. */
export const COMMANDS: readonly Command[] = [
  { line: 'version', limitMs: 150 },
  { line: 'get --help', limitMs: 150 },
  ...[
    'get pods -n ns-7',
    'get pods -A',
    'get pods -A --at 1d',
    'get pods -A --at 10d',
    'get pod/pod-7 -n ns-7 --at 10d -o yaml',
    'get pods -A -o name -l app=checkout',
    'history pod/pod-7 -n ns-7',
    'diff pod/pod-7 -n ns-7',
    'changes -n ns-7 --since 1d',
    'changes -A --since 15m',
    'blame pod/pod-7 -n ns-7',
    'timeline -n ns-7 --since 1d',
    'search pod-77',
    'query pods',
  ].map((line) => ({ line, limitMs: 300 })),
  { line: 'get pods -A -o wide' },
  { line: 'get pods -A -o jsonl' },
];
