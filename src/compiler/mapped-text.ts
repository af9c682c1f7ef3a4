/** A text in the syntax of ovs-ofctl that remembers, piece by piece, where in a file it came from. */
import type { At } from './at.js';
import type { Range } from './source.js';

interface Piece {
  readonly from: number;
  readonly at: At;
  /** Where in the value the piece begins, if its letters are those of the value; -1: they are the key's. */
  readonly index: number | undefined;
}
/** Another text that was put there. */
interface Part {
  readonly from: number;
  readonly part: MappedText;
}

export class MappedText {
  text = '';
  readonly #pieces: (Piece | Part)[] = [];

  /** Whose the letters are; without, those before. */
  add(text: string, at?: At, index?: number): this {
    if (at !== undefined) this.#pieces.push({ from: this.text.length, at, index });
    this.text += text;
    return this;
  }

  append(other: MappedText): this {
    this.#pieces.push({ from: this.text.length, part: other });
    this.text += other.text;
    return this;
  }

  /** Where letter `index` (from 0) was written. */
  origin(index: number): { readonly at: At; readonly range: Range } | undefined {
    const piece = this.#pieces.findLast(({ from }) => from <= index) ?? this.#pieces[0];
    if (piece === undefined) return undefined;
    if ('part' in piece) return piece.part.origin(Math.max(0, index - piece.from));
    const { at, from } = piece;
    if (piece.index === undefined) return { at, range: at.range() };
    if (piece.index < 0) return { at, range: at.keyRange() };
    const offset = Math.max(0, index - from);
    const word = /^[^,\s=:()]*/.exec(this.text.slice(from + offset))![0];
    return { at, range: at.rangeIn(piece.index + offset, Math.max(1, word.length)) };
  }
}

/** Pieces one behind the other. */
export function joined(pieces: readonly MappedText[], separator: string): MappedText {
  const whole = new MappedText();
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) whole.add(separator);
    whole.append(piece);
  }
  return whole;
}
