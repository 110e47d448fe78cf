export function artifact(folder: string, build: (building: string) => Promise<void>): Promise<void>;
export function withLock<T>(file: string, work: () => Promise<T>): Promise<T>;
