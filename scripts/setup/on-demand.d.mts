/** Makes it where it is not there yet. @returns its path: a binary, or the folder of the definitions */
export function onDemand(name: 'promtool' | 'helm' | 'crds'): Promise<string>;
