/**
 * Splits a byte stream at 0x0A. Never at U+2028 as `readline` does, and without a string in between.
 *   in    chunks as the socket gives them
 *   out   lines without their newline, in order; each a view that is valid until the next call
 * Invariants (test/kubernetes/lines.test.ts):
 *   L1 conservation  the lines and the rest, joined by newlines, are the bytes that came in
 *   L2 bounded       a line longer than the limit is an error, not a growing buffer
 */
import { KubetapeError } from '../events/errors.ts';

/** etcd takes objects up to 1.5 MiB by default; some clusters raise it. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

export class LineSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** @throws KubetapeError KUBE_PROTOCOL when a line is longer than the limit */
  *push(chunk: Buffer): Generator<Buffer, void, void> {
    let from = 0;
    for (;;) {
      const newline = chunk.indexOf(0x0a, from);
      if (newline < 0) break;
      const tail = chunk.subarray(from, newline);
      from = newline + 1;
      if (this.#parts.length === 0) {
        yield tail;
        continue;
      }
      this.#parts.push(tail);
      const line = Buffer.concat(this.#parts, this.#bytes + tail.length);
      this.#parts = [];
      this.#bytes = 0;
      yield line;
    }
    if (from === chunk.length) return;
    const rest = chunk.subarray(from);
    this.#parts.push(rest);
    this.#bytes += rest.length;
    if (this.#bytes > this.#maxBytes) {
      throw new KubetapeError('KUBE_PROTOCOL', `a line of the watch stream is longer than ${this.#maxBytes} bytes`);
    }
  }

  /** Bytes of an unfinished line: more than none at the end of a stream means that it was cut. */
  get pendingBytes(): number {
    return this.#bytes;
  }
}
