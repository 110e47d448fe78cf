/**
 * NetworkPolicies as a network plug-in reads them: whether a connection between two pods is let through. Pure.
 * Knows pods and namespaces as peers; addresses are not looked at.
 */
import { selects, type Selector } from './rendering.ts';

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number; readonly endPort?: number }[];
}

export interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

type Labels = Readonly<Record<string, string>>;

export interface Connection {
  readonly source: Labels;
  /** Labels of the source's namespace, where it is another one than the policies'. */
  readonly namespace?: Labels;
  readonly target: Labels;
  readonly port: number;
}

export function allows(policies: readonly NetworkPolicy[], { source, namespace, target, port }: Connection): boolean {
  // The policies of this namespace say nothing of what pods of another one may begin.
  const out = namespace !== undefined || permitted(policies, 'Egress', source, (rule) => matches(rule.to, target, undefined, port, rule));
  return out && permitted(policies, 'Ingress', target, (rule) => matches(rule.from, source, namespace, port, rule));
}

/** Without a policy for it everything; with one, what any of them says. */
function permitted(policies: readonly NetworkPolicy[], type: 'Ingress' | 'Egress', pod: Labels, fits: (rule: Rule) => boolean): boolean {
  const own = policies.filter(({ spec }) => spec.policyTypes.includes(type) && selects(spec.podSelector, pod));
  return own.length === 0 || own.some(({ spec }) => (spec[type === 'Ingress' ? 'ingress' : 'egress'] ?? []).some(fits));
}

function matches(peers: readonly Peer[] | undefined, pod: Labels, namespace: Labels | undefined, port: number, { ports }: Rule): boolean {
  const portFits = ports === undefined || ports.some((one) => port >= one.port && port <= (one.endPort ?? one.port));
  const peerFits =
    peers === undefined ||
    peers.some(({ podSelector = {}, namespaceSelector }) => {
      const here = namespace === undefined;
      const namespaceFits =
        namespaceSelector === undefined ? here : selects(namespaceSelector, namespace ?? { 'kubernetes.io/metadata.name': 'kubetape' });
      return namespaceFits && selects(podSelector, pod);
    });
  return portFits && peerFits;
}
