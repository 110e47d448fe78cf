/** What the tables of a resource are made of, as far as it differs from resource to resource. */

/** Column types beside the common ones. */
export type ColumnType = 'text' | 'integer' | 'timestamptz' | 'text[]';
/** A timestamptz is ms since 1970. */
export type ColumnValue = string | number | readonly string[] | null;

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** For COMMENT ON. */
  readonly about: string;
}

/** The two tables of a resource: k8s.<table> and k8s.<table>_history. */
export interface ResourceTable {
  readonly resource: string;
  readonly table: string;
  readonly group: string;
  readonly kind: string;
  readonly columns: readonly TableColumn[];
}
