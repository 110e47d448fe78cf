/**
 * What people call the types of objects: `po`, `pod`, `pods`, `Deployment`, `deployments.apps`, `cert`. Pure.
 *   in    a word, and the resources that are recorded
 *   out   the resource; or what was probably meant
 * Invariants (test/past/kinds.test.ts):
 *   K1 kubectl  every name and short name of Kubernetes' own types means what it means to kubectl
 *   K2 custom   a custom resource is found by its plural, its kind, and either with its group or the beginning of it
 */
import { nearest } from '../config/nearest.ts';
import type { RecordedType } from './ports.ts';

/** Plural → singular and short names of Kubernetes' own types, as API discovery has them. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  bindings: [],
  certificatesigningrequests: ['csr'],
  clusterrolebindings: [],
  clusterroles: [],
  componentstatuses: ['cs'],
  configmaps: ['cm'],
  controllerrevisions: [],
  cronjobs: ['cj'],
  csidrivers: [],
  csinodes: [],
  csistoragecapacities: [],
  customresourcedefinitions: ['crd', 'crds'],
  daemonsets: ['ds'],
  deployments: ['deploy'],
  endpoints: ['ep'],
  endpointslices: [],
  events: ['ev'],
  flowschemas: [],
  horizontalpodautoscalers: ['hpa'],
  ingressclasses: [],
  ingresses: ['ing'],
  jobs: [],
  leases: [],
  limitranges: ['limits'],
  mutatingwebhookconfigurations: [],
  namespaces: ['ns'],
  networkpolicies: ['netpol'],
  nodes: ['no'],
  persistentvolumeclaims: ['pvc'],
  persistentvolumes: ['pv'],
  poddisruptionbudgets: ['pdb'],
  pods: ['po'],
  podtemplates: [],
  priorityclasses: ['pc'],
  prioritylevelconfigurations: [],
  replicasets: ['rs'],
  replicationcontrollers: ['rc'],
  resourcequotas: ['quota'],
  rolebindings: [],
  roles: [],
  secrets: [],
  serviceaccounts: ['sa'],
  services: ['svc'],
  statefulsets: ['sts'],
  storageclasses: ['sc'],
  validatingadmissionpolicies: [],
  validatingwebhookconfigurations: [],
  volumeattachments: [],
};

const BY_NAME = new Map(
  Object.entries(OWN).flatMap(([plural, short]) => [plural, singularOf(plural), ...short].map((name) => [name, plural])),
);

export type FoundType = { readonly type: RecordedType } | { readonly wrong: string; readonly hint: string };

export function findType(word: string, recorded: readonly RecordedType[]): FoundType {
  const wanted = word.toLowerCase();
  const [first = '', ...group] = wanted.split('.');
  const plural = BY_NAME.get(first);
  const type =
    recorded.find(({ resource }) => resource === wanted) ??
    recorded.find((one) => plural !== undefined && one.resource === plural && groupFits(one, group.join('.'))) ??
    only(recorded.filter((one) => namesOf(one).includes(first) && groupFits(one, group.join('.'))));
  if (type !== undefined) return { type };
  const list = recorded
    .map(({ resource }) => resource)
    .toSorted()
    .join(', ');
  if (plural !== undefined && group.length === 0)
    return { wrong: `${plural} are not recorded`, hint: `Recorded are ${list || 'none yet'}; --resources of the collector says which.` };
  // Of three letters, two are wrong in almost every other short name.
  const near =
    wanted.length < 4 ? undefined : nearest(wanted, [...Object.keys(OWN), ...recorded.flatMap((one) => [one.resource, ...namesOf(one)])]);
  return {
    wrong: `there is no resource type "${word}"${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: `Recorded are ${list || 'none yet'}.`,
  };
}

/** Several custom resources of one name are told apart by their group only. */
function only(types: readonly RecordedType[]): RecordedType | undefined {
  return types.length === 1 ? types[0] : undefined;
}

function namesOf({ resource, kind }: RecordedType): string[] {
  const plural = resource.split('.')[0] ?? resource;
  return [plural, kind.toLowerCase(), singularOf(plural)];
}

/** kubectl takes the beginning of a group: `deployments.apps`, `certificates.cert-manager`. */
function groupFits({ group }: RecordedType, wanted: string): boolean {
  return wanted === '' || group === wanted || group.startsWith(`${wanted}.`) || /^v\d/.test(wanted);
}

export function singularOf(plural: string): string {
  if (plural === 'endpoints' || plural === 'componentstatuses') return plural === 'endpoints' ? plural : 'componentstatus';
  if (/(ss|x|ch|sh)es$/.test(plural)) return plural.slice(0, -2);
  if (plural.endsWith('ies')) return `${plural.slice(0, -3)}y`;
  return plural.endsWith('s') ? plural.slice(0, -1) : plural;
}

/** As `-o name` and tables of several types have it: `pod`, `deployment.apps`. */
export function nameOfType({ kind, group }: Pick<RecordedType, 'kind' | 'group'>): string {
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
}

/** The shortest name that people know: `po`, `deploy`; the singular where there is none. */
export function shortName({ resource, kind }: Pick<RecordedType, 'resource' | 'kind'>): string {
  return OWN[resource]?.[0] ?? kind.toLowerCase();
}

/** All words that a shell may complete a type with. */
export function typeWords(recorded: readonly RecordedType[]): string[] {
  return recorded.flatMap(({ resource }) => [resource, ...(OWN[resource] ?? [])]).toSorted();
}
