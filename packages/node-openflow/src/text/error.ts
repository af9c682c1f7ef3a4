/** What is wrong with a text, where, and which word was perhaps meant. */

export interface TextError {
  /** One sentence, without the place. */
  readonly message: string;
  /** From 1, in UTF-16 units; the place in the line that was parsed. */
  readonly column: number;
  /** From 1; only where a text of several lines was parsed. */
  readonly line?: number;
  /** The known word nearest to an unknown one. */
  readonly suggestion?: string;
}

export type TextResult<Value> =
  | { readonly ok: true; readonly value: Value; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly error: TextError };

/** Inside the parsers; `parsing` turns it into a TextError. */
export class TextFailure extends Error {
  constructor(
    message: string,
    /** From 0. */
    readonly at: number,
    readonly suggestion?: string,
  ) {
    super(message);
  }
}

/** Runs a parser that throws TextFailure. */
export function parsing<Value>(parse: (warn: (text: string) => void) => Value): TextResult<Value> {
  const warnings: string[] = [];
  try {
    const value = parse((text) => warnings.push(text));
    return { ok: true, value, warnings };
  } catch (error) {
    if (!(error instanceof TextFailure)) throw error;
    const { message, at, suggestion } = error;
    return { ok: false, error: { message, column: at + 1, ...(suggestion === undefined ? {} : { suggestion }) } };
  }
}

/** Least number of letters to insert, drop or change. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}

const longestWord = 40;

/** The word of `words` that is nearest, if it is near. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  if (word.length > longestWord) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.ceil(word.length / 3)) + 1;
  for (const candidate of words) {
    const far = distance(lower, candidate.toLowerCase());
    if (far < least) [best, least] = [candidate, far];
  }
  return best;
}

/** 'unknown field "nw_scr"; perhaps nw_src' */
export function unknownWord(what: string, word: string, at: number, words: Iterable<string>): TextFailure {
  const suggestion = nearest(word, words);
  const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
  return new TextFailure(`unknown ${what} "${word}"${hint}`, at, suggestion);
}
