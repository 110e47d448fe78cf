/** What only some tests need: made when the first of them asks for it, with its progress on stderr. `npm run demo` never does. */
import process from 'node:process';
import { buildGoTool, copyCrds } from './go.mjs';
import { BINARIES, CRDS, exists } from './places.mjs';
import { Progress } from './progress.mjs';
import { missingTools } from './tools.mjs';
import { HELM, PROMETHEUS } from './versions.mjs';

/** Prometheus numbers its Go module apart: 3.15.0 is v0.315.0. */
const PROMETHEUS_MODULE = PROMETHEUS.replace(/^(\d+)\.(\d+)\./, (_all, major, minor) => `0.${major}${minor.padStart(2, '0')}.`);

const EXTRAS = {
  promtool: {
    title: `promtool ${PROMETHEUS}`,
    usualSeconds: 180,
    place: BINARIES.promtool,
    run: () =>
      buildGoTool(
        'promtool',
        'github.com/prometheus/prometheus',
        'github.com/prometheus/prometheus/cmd/promtool',
        PROMETHEUS_MODULE,
        // The clients of two dozen clouds, which would take longer than all the rest.
        ['-tags', 'remove_all_sd'],
      ),
  },
  helm: {
    title: `Helm ${HELM}`,
    usualSeconds: 120,
    place: BINARIES.helm,
    run: () => buildGoTool('helm', 'helm.sh/helm/v4', 'helm.sh/helm/v4/cmd/helm', HELM),
  },
  crds: { title: 'definitions of custom resources', usualSeconds: 10, place: CRDS, run: copyCrds },
};

/** @returns its path @throws where Go is missing, or the build fails */
export async function onDemand(name) {
  const extra = EXTRAS[name];
  if (!exists(extra.place)) {
    for (const { name: tool, remedy } of missingTools(new Set(['go']))) throw new Error(`${extra.title} needs ${tool}: ${remedy}`);
    await new Progress(process.stderr).run(extra);
  }
  return extra.place;
}
