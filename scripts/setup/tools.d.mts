export function postgresUser(): { readonly name: string; readonly uid: number; readonly gid: number } | null;
export function missingTools(needed: ReadonlySet<string>): { name: string; remedy: string }[];
