/** Makes it where it is not there yet. @returns its path: a binary, or the folder of the definitions */
export function onDemand(
  name:
    | 'promtool'
    | 'prometheus'
    | 'helm'
    | 'kubeconform'
    | 'hcl2json'
    | 'terraform-provider-helm'
    | 'terraform-provider-kubernetes'
    | 'crds'
    | 'schemas'
    | 'connect',
): Promise<string>;
