export const KAFKA: string;
export const KUBERNETES: string;
export const PROMETHEUS: string;
export const HELM: string;
