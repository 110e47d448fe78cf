export const ROOT: string;
export const PACKAGE: {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
export const CACHE: string;
export const KAFKA_HOME: string;
export const CRDS: string;
export const SCHEMAS: string;
export const CONNECT_HOME: string;
export const KWOK_STAGES: string;
export const BINARIES: Readonly<
  Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl' | 'kwok' | 'promtool' | 'helm', string>
>;
export function runtimeBinary(): string;
export function runtimeHome(): string;
export const PLATFORM: string;
export function exists(file: string): boolean;
