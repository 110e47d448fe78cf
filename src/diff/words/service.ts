/** Services: type, ports, selector, addresses. `type ClusterIP → NodePort`, `+port 9090/TCP`, `+external IP 203.0.113.7`. Pure. */
import { changeOf, type Change } from '../change.ts';
import type { Difference } from '../difference.ts';
import { fieldsOf, textOf } from '../fields.ts';
import { segmentText } from '../path.ts';
import { inParts, present, sign, type Concern } from './concern.ts';
import { mapWords } from './map.ts';
import { plainWords } from './plain.ts';
import { arrow, listed, nameText, short } from './value.ts';

export const service: Concern = {
  takes: ({ path }, { kind }) => kind === 'Service' && (path[0] === 'spec' || (path[0] === 'status' && path[1] === 'loadBalancer')),
  words(taken) {
    const all = taken.flatMap((one) => (WHOLES.has(one.path.at(-1)) ? inParts(one) : [one]));
    const retyped = all.some(({ path }) => path[0] === 'spec' && path[1] === 'type');
    const changes: Change[] = [];
    const selector: Difference[] = [];
    const ports = new Map<string, Difference[]>();
    for (const difference of all) {
      const { path, kind, before, after } = difference;
      const field = segmentText(path[1]);
      if (path[0] === 'status') changes.push(...addressWords(difference));
      else if (retyped && isConsequence(difference)) continue;
      else if (field === 'selector' && path.length === 3) selector.push(difference);
      else if (field === 'ports' && path.length > 2) {
        const port = segmentText(path[2]);
        ports.set(port, [...(ports.get(port) ?? []), difference]);
      } else if (field === 'clusterIPs' && all.some((one) => one.path[1] === 'clusterIP')) continue;
      else if (PLAIN.has(field) && path.length === 2)
        changes.push(changeOf('service', difference, kind === 'changed' ? `${field} ${arrow(before, after)}` : plainText(difference)));
      else changes.push(...plainWords([difference], 'rest', 1));
    }
    for (const [port, own] of ports) changes.push(...portWords(port, own));
    return [...changes, ...mapWords('selector', 'service', selector)];
  },
};

const WHOLES: ReadonlySet<unknown> = new Set(['selector', 'ports', 'loadBalancer', 'ingress']);
const PLAIN: ReadonlySet<string> = new Set(['type', 'clusterIP', 'externalName', 'externalTrafficPolicy', 'sessionAffinity']);

/** Defaults that the API server sets, and drops, for another type. */
const DEFAULTS: ReadonlySet<string> = new Set([
  'externalTrafficPolicy',
  'internalTrafficPolicy',
  'allocateLoadBalancerNodePorts',
  'healthCheckNodePort',
  'sessionAffinity',
  'ipFamilies',
  'ipFamilyPolicy',
  'clusterIP',
  'clusterIPs',
]);

function isConsequence({ path, kind }: Difference): boolean {
  if (kind === 'changed') return false;
  return DEFAULTS.has(segmentText(path[1])) || (path[1] === 'ports' && path[3] === 'nodePort');
}

function plainText(difference: Difference): string {
  return plainWords([difference], 'service', 1)[0]?.words ?? '';
}

function portWords(port: string, own: readonly Difference[]): Change[] {
  const [first] = own;
  if (first === undefined) return [];
  const name = nameText(port);
  if (first.path.length > 3) {
    const parts = plainWords(own, 'service', 3).map(({ words }) => words);
    return [changeOf('service', first, `port ${name} ${listed(parts, 3)}`)];
  }
  if (sign(first) === '') return plainWords(own, 'service', 1);
  const { targetPort, port: number } = fieldsOf(present(first));
  const to = targetPort === undefined || targetPort === number ? undefined : short(targetPort);
  return [changeOf('service', first, `${sign(first)}port ${name}${to === undefined ? '' : ` to ${to}`}`)];
}

/** @param difference within status.loadBalancer */
function addressWords(difference: Difference): Change[] {
  const { path } = difference;
  const parts = path.length === 3 ? inParts(difference) : [difference];
  return parts.flatMap((part) => {
    const element = fieldsOf(present(part));
    const address = textOf(element['ip']) ?? textOf(element['hostname']);
    if (part.path.length !== 4 || sign(part) === '' || address === undefined) return plainWords([part], 'service', 1);
    return [changeOf('service', part, `${sign(part)}external ${element['ip'] === undefined ? 'name' : 'IP'} ${nameText(address)}`)];
  });
}
