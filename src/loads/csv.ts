/**
 * CSV (RFC 4180), piece by piece. Pure.
 *   in    text in pieces of any size
 *   out   rows of fields, each with the line on which it begins
 * Invariants (test/loads/csv.test.ts):
 *   V1 pieces   how the text is cut changes nothing
 *   V2 exact    quoted fields keep commas, quotes and line ends; nothing is trimmed
 *   V3 refuses  a quote in the wrong place is an error with its line, never a guess
 */
export interface CsvRow {
  /** 1-based. */
  readonly line: number;
  readonly fields: readonly string[];
}

type State = 'start' | 'plain' | 'quoted' | 'closed';

export class CsvParser {
  #state: State = 'start';
  #fields: string[] = [];
  #field = '';
  #line = 1;
  #rowLine = 1;
  /** A carriage return that may be followed by a newline. */
  #return = false;
  /** Something of a row was seen. */
  #open = false;

  /** Characters of the row that is being read. */
  get pending(): number {
    return this.#field.length + this.#fields.reduce((sum, field) => sum + field.length, 0);
  }

  /** @throws SyntaxError naming the line */
  push(text: string): CsvRow[] {
    const rows: CsvRow[] = [];
    for (const letter of text) {
      if (letter === '\n' && this.#return) {
        this.#return = false;
        continue;
      }
      this.#return = letter === '\r' && this.#state !== 'quoted';
      if ((letter === '\n' || letter === '\r') && this.#state !== 'quoted') {
        this.#endRow(rows);
        this.#line += 1;
        this.#rowLine = this.#line;
      } else this.#take(letter);
    }
    return rows;
  }

  /** The last row, which may have no line end. */
  end(): CsvRow[] {
    if (this.#state === 'quoted') throw new SyntaxError(`line ${this.#rowLine}: a quoted field is not closed`);
    const rows: CsvRow[] = [];
    this.#endRow(rows);
    return rows;
  }

  #take(letter: string): void {
    this.#open = true;
    if (letter === '\n') this.#line += 1;
    switch (this.#state) {
      case 'quoted':
        if (letter === '"') this.#state = 'closed';
        else this.#field += letter;
        return;
      case 'closed':
        if (letter === '"') {
          this.#field += '"';
          this.#state = 'quoted';
        } else if (letter === ',') this.#endField();
        else throw new SyntaxError(`line ${this.#line}: there is text behind a quoted field`);
        return;
      default:
        if (letter === ',') this.#endField();
        else if (letter !== '"') {
          this.#state = 'plain';
          this.#field += letter;
        } else if (this.#state === 'start') this.#state = 'quoted';
        else throw new SyntaxError(`line ${this.#line}: a quote within a field that is not quoted`);
    }
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = '';
    this.#state = 'start';
  }

  /** A line with nothing on it is no row. */
  #endRow(rows: CsvRow[]): void {
    if (this.#open) {
      this.#endField();
      rows.push({ line: this.#rowLine, fields: this.#fields });
    }
    this.#fields = [];
    this.#state = 'start';
    this.#open = false;
  }
}
