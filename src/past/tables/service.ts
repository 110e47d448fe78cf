/** Services. Pure. */
import { fieldsAt, fieldsOf, listOf, numberOf, textOf } from '../../diff/fields.ts';
import { ageText, columns, labelsText, NONE, type KindTable } from './table.ts';

type Fields = { readonly [field: string]: unknown };

export const serviceTable: KindTable = {
  columns: columns('NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE', 'wide:SELECTOR'),
  // Addresses and node ports are no columns.
  from: null,
  row: ({ name, createdMs, object }, nowMs, wide) => {
    const service = object ?? {};
    const spec = fieldsOf(service['spec']);
    const ports = listOf(spec['ports']).map(fieldsOf).map(portText).join(',');
    return [
      name,
      textOf(spec['type']) ?? '',
      textOf(listOf(spec['clusterIPs'])[0]) ?? textOf(spec['clusterIP']) ?? NONE,
      externalText(spec, fieldsAt(service['status'], 'loadBalancer'), wide),
      ports === '' ? NONE : ports,
      ageText(createdMs, nowMs),
      labelsText(spec['selector']),
    ];
  },
};

function portText(port: Fields): string {
  const node = numberOf(port['nodePort']) ?? 0;
  return `${numberOf(port['port']) ?? 0}${node > 0 ? `:${node}` : ''}/${textOf(port['protocol']) ?? 'TCP'}`;
}

function externalText(spec: Fields, balancer: Fields, wide: boolean): string {
  const own = listOf(spec['externalIPs']).map(String);
  switch (spec['type']) {
    case 'ClusterIP':
    case 'NodePort':
      return own.length === 0 ? NONE : own.join(',');
    case 'LoadBalancer': {
      const addresses = balancerText(listOf(balancer['ingress']).map(fieldsOf), wide);
      const all = [...(addresses === '' ? [] : [addresses]), ...own];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ExternalName':
      return textOf(spec['externalName']) ?? '';
    default:
      return '<unknown>';
  }
}

const BALANCER_WIDTH = 16;

function balancerText(ingress: readonly Fields[], wide: boolean): string {
  const addresses = new Set(ingress.flatMap((one) => textOf(one['ip']) ?? textOf(one['hostname']) ?? []));
  const text = [...addresses].toSorted().join(',');
  return wide || text.length <= BALANCER_WIDTH ? text : `${text.slice(0, BALANCER_WIDTH - 3)}...`;
}
