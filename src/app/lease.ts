/** Which Lease the collectors of a cluster share. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { SettingsOf } from '../config/roles.ts';
import type { LeaseSettings } from '../kubernetes/lease.ts';

/** The namespace of the pod, where there is one. */
const POD_NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

export function leaseOf(settings: Pick<SettingsOf<'collect'>, 'leaseName' | 'leaseNamespace'>, cluster: string): LeaseSettings {
  const namespace =
    settings.leaseNamespace ?? (existsSync(POD_NAMESPACE_FILE) ? readFileSync(POD_NAMESPACE_FILE, 'utf8').trim() : 'default');
  const name =
    settings.leaseName ??
    `kubetape-${cluster}`
      .toLowerCase()
      .replaceAll(/[^a-z0-9.-]/g, '-')
      .slice(0, 253)
      .replace(/[^a-z0-9]+$/, '');
  return { namespace, name, identity: `${hostname()}_${randomUUID()}` };
}
