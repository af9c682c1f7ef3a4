/**
 * The syntax that all of ovs-ofctl's texts share: a list of `key`, `key=value`, `key:value` and `key(value)`, separated
 * by commas or white space, where a value may hold parentheses with anything in them (ovs-ofctl(8), "Flow Syntax").
 */

/** A piece of a text and where in the whole it begins. */
export interface Span {
  readonly text: string;
  /** From 0. */
  readonly at: number;
}

export interface KeyValue {
  readonly key: Span;
  readonly value: Span;
  /** What stood between them; '' when there is no value. */
  readonly delimiter: '' | ':' | '=' | '(';
}

export const span = (text: string, at = 0): Span => ({ text, at });
export const slice = ({ text, at }: Span, from: number, to?: number): Span => ({
  text: text.slice(from, to),
  at: at + from,
});

const separators = ', \t\r\n';
const keyEnds = ':=(, \t\r\n';

function skipWhile(text: string, from: number, letters: string): number {
  let at = from;
  while (at < text.length && letters.includes(text[at]!)) at++;
  return at;
}
function skipUntil(text: string, from: number, letters: string): number {
  let at = from;
  while (at < text.length && !letters.includes(text[at]!)) at++;
  return at;
}

/** End of a value: a delimiter outside of parentheses, or the text's end. */
function valueEnd(text: string, from: number, delimiters: string): number {
  let at = from;
  let depth = 0;
  while (at < text.length && (depth > 0 || !delimiters.includes(text[at]!))) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && depth > 0) depth--;
    at++;
  }
  return at;
}

export function* keyValues(whole: Span): Generator<KeyValue> {
  const { text } = whole;
  let at = 0;
  for (;;) {
    at = skipWhile(text, at, separators);
    if (at >= text.length) return;
    const keyEnd = skipUntil(text, at, keyEnds);
    const key = slice(whole, at, keyEnd);
    const mark = text[keyEnd] ?? '';
    at = keyEnd + 1;
    if (mark === ':' || mark === '=') {
      const end = valueEnd(text, at, separators);
      yield { key, value: slice(whole, at, end), delimiter: mark };
      at = end + 1;
    } else if (mark === '(') {
      let end = valueEnd(text, at, ')');
      // check_pkt_larger(1500)->reg0[0]: what the arrow points to belongs to the value.
      if (text.startsWith(')->', end)) end = valueEnd(text, end, separators);
      yield { key, value: slice(whole, at, end), delimiter: '(' };
      at = end + 1;
    } else {
      yield { key, value: slice(whole, keyEnd, keyEnd), delimiter: '' };
    }
  }
}

/** The pieces between any of `separators`, empty ones left out. */
export function words(whole: Span, separatedBy: string): Span[] {
  const found: Span[] = [];
  let at = skipWhile(whole.text, 0, separatedBy);
  while (at < whole.text.length) {
    const end = skipUntil(whole.text, at, separatedBy);
    found.push(slice(whole, at, end));
    at = skipWhile(whole.text, end, separatedBy);
  }
  return found;
}

/** The pieces between single `separator`s, empty ones too, without white space around them. */
export function pieces(whole: Span, separator: string): Span[] {
  let at = 0;
  return whole.text.split(separator).map((text) => {
    const from = at + text.length - text.trimStart().length;
    at += text.length + separator.length;
    return slice(whole, from, from + text.trim().length);
  });
}

/** What a table has for a word; never what every object has, such as 'constructor'. */
export const lookUp = <Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined;
