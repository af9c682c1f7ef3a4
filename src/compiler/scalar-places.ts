/** Where in a file the letters of a text value stand: plain, quoted, or a block of lines. */

/** A text value as it was written; a Scalar of the yaml package is one. */
export interface WrittenText {
  /** Offsets in the file, quotes included. */
  readonly range?: readonly [start: number, end: number, ...rest: number[]] | null | undefined;
  /** In the words of the yaml package. */
  readonly type?: string | undefined;
  readonly value: unknown;
}

export class ScalarPlaces {
  readonly #source: string;
  readonly #scalar: WrittenText;
  #block: readonly BlockLine[] | undefined;

  constructor(source: string, scalar: WrittenText) {
    this.#source = source;
    this.#scalar = scalar;
  }

  /** Offset in the file of the letter `index` of the value; one behind the last is allowed. Undefined: not known. */
  offset(index: number): number | undefined {
    const { range, type } = this.#scalar;
    if (!range) return undefined;
    const value = String(this.#scalar.value);
    switch (type) {
      case 'BLOCK_LITERAL':
        return this.#inBlock(index, value);
      case 'PLAIN':
      case 'QUOTE_SINGLE':
      case 'QUOTE_DOUBLE': {
        const quote = type === 'PLAIN' ? 0 : 1;
        const written = this.#source.slice(range[0] + quote, range[1] - quote);
        // Letters that are escaped or folded are not where they seem.
        return written === value ? range[0] + quote + index : undefined;
      }
      default:
        return undefined;
    }
  }

  #inBlock(index: number, value: string): number | undefined {
    this.#block ??= blockLines(this.#source, this.#scalar.range![0], this.#scalar.range![1], value);
    let line = this.#block.findLast(({ from }) => from <= index);
    line ??= this.#block[0];
    return line === undefined ? undefined : Math.min(line.offset + index - line.from, line.offset + line.length);
  }
}

interface BlockLine {
  /** Index in the value. */
  readonly from: number;
  /** Offset in the file. */
  readonly offset: number;
  readonly length: number;
}

function blockLines(source: string, start: number, end: number, value: string): BlockLine[] {
  const lines: BlockLine[] = [];
  const wanted = value.split('\n');
  let at = source.indexOf('\n', start) + 1;
  let from = 0;
  for (const line of wanted) {
    if (at <= 0 || at > end) break;
    const lineEnd = source.indexOf('\n', at);
    const written = source.slice(at, lineEnd < 0 ? source.length : lineEnd).replace(/\r$/, '');
    const indent = Math.max(0, written.length - line.length);
    lines.push({ from, offset: at + (line === '' ? written.length : indent), length: line.length });
    from += line.length + 1;
    if (lineEnd < 0) break;
    at = lineEnd + 1;
  }
  return lines;
}
