/** Which table a resource is printed in. Pure. */
import { configMapTable, secretTable } from './data.ts';
import { eventTable } from './event.ts';
import { podTable } from './pod.ts';
import { serviceTable } from './service.ts';
import type { KindTable } from './table.ts';
import { deploymentTable, plainTable, statefulSetTable } from './workload.ts';

const TABLES: Readonly<Record<string, KindTable>> = {
  pods: podTable,
  services: serviceTable,
  deployments: deploymentTable,
  statefulsets: statefulSetTable,
  configmaps: configMapTable,
  secrets: secretTable,
  events: eventTable,
};

export function tableOfResource(resource: string): KindTable {
  return Object.hasOwn(TABLES, resource) ? (TABLES[resource] ?? plainTable) : plainTable;
}
