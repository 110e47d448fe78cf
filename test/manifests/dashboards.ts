/** The queries of the dashboards, as Grafana would send them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../scripts/setup/places.mjs';

const FOLDER = path.join(ROOT, 'manifests', 'monitoring', 'dashboards');

export interface Panel {
  readonly dashboard: string;
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly type: string;
  readonly queries: readonly { readonly language: 'promql' | 'sql'; readonly text: string }[];
}

interface Raw {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly panels?: readonly Raw[];
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr?: string; readonly rawSql?: string }[];
}

export function panels(): Panel[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return files.flatMap((file) => {
    const { panels: all } = JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8')) as { panels: readonly Raw[] };
    return flat(all).map(({ title, type, description = '', fieldConfig, targets = [] }) => ({
      dashboard: path.basename(file, '.json'),
      title,
      type,
      description,
      unit: fieldConfig?.defaults?.unit ?? '',
      queries: targets.map(({ expr, rawSql }) =>
        expr === undefined ? { language: 'sql' as const, text: rawSql ?? '' } : { language: 'promql' as const, text: expr },
      ),
    }));
  });
}

function flat(all: readonly Raw[]): Raw[] {
  return all.flatMap((panel) => [...(panel.type === 'row' ? [] : [panel]), ...flat(panel.panels ?? [])]);
}

/** With everything chosen, for the last hour. */
export function filledPromql(text: string): string {
  return text.replaceAll('$__rate_interval', '15s').replaceAll(/\$(cluster|namespace)\b/g, '.*');
}

export function filledSql(text: string, cluster: string, namespaces: readonly string[]): string {
  const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');
  return text
    .replaceAll('${cluster:sqlstring}', list([cluster]))
    .replaceAll('${namespace:sqlstring}', list(namespaces))
    .replaceAll(/\$__timeFilter\(([^)]*)\)/g, "$1 > now() - interval '1 hour'")
    .replaceAll(/\$__timeGroup\(([^,]*), '1m'\)/g, "date_trunc('minute', $1)");
}
