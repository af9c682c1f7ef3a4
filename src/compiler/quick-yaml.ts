/**
 * The YAML that rule files are mostly made of, many times faster than the yaml package reads it: maps and lists in blocks or
 * in brackets, texts and whole numbers, `|` blocks, comments, several documents (YAML 1.2.2, core schema).
 *
 * It only ever says what the yaml package would say too. Whatever is rarer, or wrong, it does not read at all: then that
 * package reads the file, and complains.
 */
import { atOnce, type Steps } from '../base/slices.js';
import { NESTING_MAX } from './limits.js';
import { Offsets } from './offsets.js';

export interface QuickDocument {
  readonly value: Readonly<Record<string, unknown>>;
  /** Its entry there; those of the whole file. */
  readonly entry: number;
  readonly offsets: Offsets;
  /** Offsets in the file: of the separator or the first line that says something, and of what comes behind. */
  readonly start: number;
  readonly end: number;
}

/** Something rarer. */
class Unusual extends Error {}
const unusual = new Unusual();
const refuse = (): never => {
  throw unusual;
};

const [NEWLINE, SPACE, QUOTE, HASH, APOSTROPHE, COMMA, DASH, COLON] = [10, 32, 34, 35, 39, 44, 45, 58];
const [OPEN_LIST, BACKSLASH, CLOSE_LIST, BAR, OPEN_MAP, CLOSE_MAP] = [91, 92, 93, 124, 123, 125];

const KEY_FIRST = /[A-Za-z_]/;
const KEY_LETTER = /[\w./-]/;
/** By code: 1 within keys, 2 as their first letter too. */
const keyLetters = Uint8Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code);
  return KEY_FIRST.test(letter) ? 2 : KEY_LETTER.test(letter) ? 1 : 0;
});
const ENTRIES_PER_STEP = 16;
/** Keys that are remembered: files have few different ones. A power of two. */
const KEYS_KEPT = 1024;
const PLAIN = /[\w./](?:[^\n#:]|:(?![\n ]|$)|(?<! )#)*/y;
const FLOW_PLAIN = /[\w./](?:[^,[\]{}\n#:]|:(?![,[\]{}\n ]|$))*/y;
const SEPARATOR = /^---(?: +(?:#.*)?)?$/;
/** What the core schema might take for something else than a text. */
const NUMBER_LIKE = /^(?:\.?\d+|\d+\.\d*)(?:e[-+]?\d+)?$|^0o[0-7]+$|^0x[\da-f]+$|^\.(?:inf|nan)$/i;
const SURE_HEX = /^0x[\da-fA-F]{1,13}$/;
const WORD_LIKE = /^(?:null|true|false)$/i;
const SURE_DIGITS = 15;
/** Implicit keys have at most 1024 letters (YAML 1.2.2 §7.4). */
const KEY_MAX = 1000;
/** Letters that mean something to the reader before us: tabs, carriage returns, control letters, a byte order mark. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is those that are looked for
const RARE_LETTERS = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;

function plainValue(text: string): unknown {
  const first = text.charCodeAt(0);
  const digit = first >= 48 && first <= 57;
  if (!digit && first !== 46) {
    if (!WORD_LIKE.test(text)) return text;
    return text === 'true' || text === 'false' ? text === 'true' : refuse();
  }
  if (digit && text.length <= SURE_DIGITS && /^\d+$/.test(text)) return Number(text);
  if (!NUMBER_LIKE.test(text)) return text;
  return SURE_HEX.test(text) ? Number(text) : refuse();
}

class QuickReader {
  #at = 0;
  /** Where the last value ended, without what is behind it. */
  #valueEnd = 0;
  /** Of the key that was found last: its length, and where what follows its colon begins. */
  #keyLength = 0;
  #keyAfter = 0;

  readonly #offsets: Offsets;
  readonly #keys: string[] = [];

  constructor(readonly text: string) {
    this.#offsets = new Offsets(text.length);
  }

  *documents(): Steps<QuickDocument[]> {
    const found: QuickDocument[] = [];
    this.#skipLines();
    while (this.#at < this.text.length) {
      const start = this.#at;
      if (this.#separator()) {
        this.#at = this.#lineEnd();
        this.#skipLines();
      }
      if (this.#at >= this.text.length || this.#separator() || this.#at !== this.#lineStart()) refuse();
      const entry = this.#offsets.begin(this.#at);
      const value = yield* this.#block(-1, 0);
      this.#offsets.end(entry, this.#valueEnd);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse();
      this.#skipLines();
      if (this.#at < this.text.length && !this.#separator()) refuse();
      found.push({ value: value as Record<string, unknown>, entry, offsets: this.#offsets, start, end: this.#at });
    }
    this.#offsets.finish();
    return found;
  }

  // ---- lines

  #lineStart(): number {
    return this.text.lastIndexOf('\n', this.#at - 1) + 1;
  }

  #lineEnd(): number {
    const end = this.text.indexOf('\n', this.#at);
    return end < 0 ? this.text.length : end;
  }

  #separator(): boolean {
    if (!this.text.startsWith('---', this.#at) || this.#at !== this.#lineStart()) return false;
    return SEPARATOR.test(this.text.slice(this.#at, this.#lineEnd())) || refuse();
  }

  /** Over spaces, comments and empty lines to the next letter that means something. */
  #skipLines(): void {
    const { text } = this;
    for (;;) {
      while (text.charCodeAt(this.#at) === SPACE) this.#at++;
      const letter = text.charCodeAt(this.#at);
      if (letter === HASH && this.#afterSpace()) this.#at = this.#lineEnd();
      else if (letter === NEWLINE) this.#at++;
      else return;
    }
  }

  #afterSpace(): boolean {
    const before = this.text.charCodeAt(this.#at - 1);
    return this.#at === 0 || before === SPACE || before === NEWLINE;
  }

  /** Nothing more may stand in this line. */
  #finishLine(): void {
    const { text } = this;
    while (text.charCodeAt(this.#at) === SPACE) this.#at++;
    if (text.charCodeAt(this.#at) === HASH && this.#afterSpace()) this.#at = this.#lineEnd();
    if (this.#at < text.length && text.charCodeAt(this.#at) !== NEWLINE) refuse();
  }

  /** From 0; of the letter that is next. */
  #column(): number {
    return this.#at - this.#lineStart();
  }

  // ---- blocks: `indent` is that of the collection around

  /** A value that begins here; afterwards the next letter that means something is next. */
  *#block(indent: number, depth: number): Steps<unknown> {
    const { text } = this;
    const letter = text.charCodeAt(this.#at);
    if (letter === DASH && this.#dash()) return yield* this.#blockList(this.#column(), depth);
    if (letter === OPEN_LIST || letter === OPEN_MAP) {
      const value = this.#flow(indent, depth);
      this.#finishLine();
      return this.#ended(value, indent);
    }
    if (this.#key(true) !== undefined) return yield* this.#blockMap(this.#column(), depth);
    return this.#scalar(indent);
  }

  #scalar(indent: number): unknown {
    const letter = this.text.charCodeAt(this.#at);
    if (letter === BAR) return this.#literal(indent);
    const value = letter === QUOTE || letter === APOSTROPHE ? this.#quoted() : this.#plain(PLAIN);
    this.#valueEnd = this.#at;
    this.#finishLine();
    return this.#ended(value, indent);
  }

  /** What is indented further would be a part of it. */
  #ended(value: unknown, indent: number): unknown {
    this.#skipLines();
    if (this.#at < this.text.length && this.#column() > indent) refuse();
    return value;
  }

  #dash(): boolean {
    const next = this.text.charCodeAt(this.#at + 1);
    return next === SPACE || next === NEWLINE;
  }

  #atEntry(column: number): boolean {
    return this.#at < this.text.length && this.#column() === column && !this.#separator();
  }

  *#blockList(column: number, depth: number): Steps<unknown[]> {
    if (depth >= NESTING_MAX) refuse();
    const value: unknown[] = [];
    while (this.#atEntry(column)) {
      if (this.text.charCodeAt(this.#at) !== DASH || !this.#dash()) break;
      this.#at++;
      while (this.text.charCodeAt(this.#at) === SPACE) this.#at++;
      const next = this.text.charCodeAt(this.#at);
      if (next === NEWLINE || next === HASH || next === DASH || Number.isNaN(next)) refuse();
      const entry = this.#offsets.begin(this.#at);
      value.push(yield* this.#block(column, depth + 1));
      this.#offsets.end(entry, this.#valueEnd);
      if (value.length % ENTRIES_PER_STEP === 0) yield;
    }
    return this.#collected(value, column);
  }

  *#blockMap(column: number, depth: number): Steps<Record<string, unknown>> {
    if (depth >= NESTING_MAX) refuse();
    const value: Record<string, unknown> = {};
    while (this.#atEntry(column)) {
      const start = this.#at;
      const key = this.#key(true) ?? refuse();
      if (Object.hasOwn(value, key)) refuse();
      this.#offsets.key(start, start + this.#keyLength);
      this.#at = this.#keyAfter;
      while (this.text.charCodeAt(this.#at) === SPACE) this.#at++;
      const sameLine = this.#at < this.text.length && !this.#lineDone();
      const entry = this.#offsets.begin(sameLine ? this.#at : this.#nextLine(column));
      value[key] = sameLine ? this.#inLine(column, depth + 1) : yield* this.#block(this.#listHere(column), depth + 1);
      this.#offsets.end(entry, this.#valueEnd);
    }
    return this.#collected(value, column);
  }

  /** A collection ends with the line that its last value ends in; what follows is further out. */
  #collected<Value extends object>(value: Value, column: number): Value {
    if (this.#at < this.text.length && this.#column() > column) refuse();
    const end = this.text.indexOf('\n', this.#valueEnd);
    this.#valueEnd = end < 0 ? this.text.length : end;
    return value;
  }

  #lineDone(): boolean {
    const letter = this.text.charCodeAt(this.#at);
    return letter === NEWLINE || (letter === HASH && this.#afterSpace());
  }

  /** A value behind its key: no collection in block form. */
  #inLine(column: number, depth: number): unknown {
    const letter = this.text.charCodeAt(this.#at);
    if (letter !== OPEN_LIST && letter !== OPEN_MAP) return this.#scalar(column);
    const value = this.#flow(column, depth);
    this.#finishLine();
    return this.#ended(value, column);
  }

  /** A list may stand as far out as the key that it belongs to. */
  #listHere(column: number): number {
    return this.#column() === column ? column - 1 : column;
  }

  #nextLine(column: number): number {
    this.#skipLines();
    const at = this.#at < this.text.length ? this.#column() : -1;
    const list = this.text.charCodeAt(this.#at) === DASH && this.#dash();
    if (at < column || (at === column && !list) || this.#separator()) refuse();
    return this.#at;
  }

  /** `|`: lines with what they are indented less, and one newline at the end. */
  #literal(indent: number): string {
    const { text } = this;
    if (text.charCodeAt(this.#at + 1) !== NEWLINE) refuse();
    this.#at += 2;
    const lines: string[] = [];
    let width = -1;
    for (;;) {
      const end = this.#lineEnd();
      let first = this.#at;
      while (first < end && text.charCodeAt(first) === SPACE) first++;
      if (first === end) {
        // Spaces in lines without letters count, but for whom is a long story.
        if (first > this.#at || width < 0) refuse();
        lines.push('');
      } else {
        if (width < 0) width = first - this.#at;
        if (width <= indent || width === 0) refuse();
        if (first - this.#at < width) break;
        lines.push(text.slice(this.#at + width, end));
      }
      this.#at = Math.min(end + 1, text.length);
      if (end === text.length) break;
    }
    this.#valueEnd = this.#at;
    while (lines.at(-1) === '') lines.pop();
    this.#ended('', indent);
    return `${lines.join('\n')}\n`;
  }

  // ---- keys

  /** The key that begins here, if one does; it is not gone past. `block`: not in brackets. */
  #key(block: boolean): string | undefined {
    const { text } = this;
    const start = this.#at;
    const letter = text.charCodeAt(start);
    if (letter === QUOTE || letter === APOSTROPHE) {
      const key = this.#quoted();
      this.#keyLength = this.#at - start;
      const close = this.#at;
      while (text.charCodeAt(this.#at) === SPACE) this.#at++;
      const colon = this.#at;
      this.#at = start;
      if (text.charCodeAt(colon) !== COLON) return undefined;
      this.#keyAfter = colon + 1;
      const next = text.charCodeAt(this.#keyAfter);
      // In brackets a colon right behind the quotes needs no space, as in JSON.
      if (next !== SPACE && next !== NEWLINE && (block || colon !== close)) refuse();
      return this.#keyLength > KEY_MAX || /^\d|^__proto__$|^<<$/.test(key) ? refuse() : key;
    }
    if (keyLetters[letter] !== 2) return undefined;
    let [end, hash] = [start, 0];
    for (let code = letter; keyLetters[code]! > 0; code = text.charCodeAt(++end)) hash = (31 * hash + code) | 0;
    let colon = end;
    while (text.charCodeAt(colon) === SPACE) colon++;
    if (text.charCodeAt(colon) !== COLON) return undefined;
    const next = text.charCodeAt(colon + 1);
    if (next !== SPACE && next !== NEWLINE && (!block || colon + 1 < text.length)) return undefined;
    this.#keyLength = end - start;
    this.#keyAfter = colon + 1;
    return this.#remembered(start, end, hash & (KEYS_KEPT - 1));
  }

  /** A key that was met before is not made, and looked at, again. */
  #remembered(start: number, end: number, slot: number): string {
    const known = this.#keys[slot];
    if (known?.length === end - start && this.text.startsWith(known, start)) return known;
    const key = this.text.slice(start, end);
    if (key.length > KEY_MAX || key === '__proto__' || WORD_LIKE.test(key)) refuse();
    this.#keys[slot] = key;
    return key;
  }

  // ---- texts and numbers

  #plain(pattern: RegExp): unknown {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.text)) refuse();
    let end = pattern.lastIndex;
    while (this.text.charCodeAt(end - 1) === SPACE) end--;
    const found = this.text.slice(this.#at, end);
    this.#at = end;
    // A colon there, or a comment without a space before it, is something else.
    const next = this.text.charCodeAt(this.#at);
    if (next === COLON || next === HASH) refuse();
    return plainValue(found);
  }

  #quoted(): string {
    const { text } = this;
    const quote = text.charCodeAt(this.#at);
    const start = this.#at + 1;
    let end = start;
    let special = false;
    for (; text.charCodeAt(end) !== quote || (quote === APOSTROPHE && text.charCodeAt(end + 1) === quote); end++) {
      const letter = text.charCodeAt(end);
      if (letter === NEWLINE || end >= text.length) refuse();
      if (letter === quote || (letter === BACKSLASH && quote === QUOTE)) {
        special = true;
        end++;
      }
    }
    this.#at = end + 1;
    const written = text.slice(start, end);
    if (!special) return written;
    if (quote === APOSTROPHE) return written.replaceAll("''", "'");
    try {
      return JSON.parse(`"${written}"`) as string;
    } catch {
      return refuse();
    }
  }

  // ---- brackets

  /** `indent`: lines inside must be indented further. */
  #flow(indent: number, depth: number): unknown {
    if (depth >= NESTING_MAX) refuse();
    const value =
      this.text.charCodeAt(this.#at) === OPEN_MAP ? this.#flowMap(indent, depth) : this.#flowList(indent, depth);
    this.#valueEnd = this.#at;
    return value;
  }

  #flowValue(indent: number, depth: number): unknown {
    const letter = this.text.charCodeAt(this.#at);
    if (letter === OPEN_MAP || letter === OPEN_LIST) return this.#flow(indent, depth);
    const value = letter === QUOTE || letter === APOSTROPHE ? this.#quoted() : this.#plain(FLOW_PLAIN);
    this.#valueEnd = this.#at;
    return value;
  }

  /** Over spaces and newlines between what is in brackets. */
  #gap(indent: number): number {
    const before = this.#at;
    const { text } = this;
    while (text.charCodeAt(this.#at) === SPACE) this.#at++;
    const letter = text.charCodeAt(this.#at);
    if (letter === NEWLINE || (letter === HASH && this.#at > before)) {
      this.#skipLines();
      if (this.#column() <= indent || this.#at >= text.length) refuse();
    }
    return text.charCodeAt(this.#at);
  }

  /** True: it was the last. */
  #next(indent: number, close: number): boolean {
    const letter = this.#gap(indent);
    this.#at++;
    if (letter === close) return true;
    if (letter !== COMMA) refuse();
    // A comma at the end is allowed, and rare.
    if (this.#gap(indent) === close) refuse();
    return false;
  }

  #flowMap(indent: number, depth: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    this.#at++;
    if (this.#gap(indent) === CLOSE_MAP) this.#at++;
    else
      do {
        const start = this.#at;
        const key = this.#key(false) ?? refuse();
        if (Object.hasOwn(value, key)) refuse();
        this.#offsets.key(start, start + this.#keyLength);
        this.#at = this.#keyAfter;
        this.#gap(indent);
        const entry = this.#offsets.begin(this.#at);
        value[key] = this.#flowValue(indent, depth + 1);
        this.#offsets.end(entry, this.#valueEnd);
      } while (!this.#next(indent, CLOSE_MAP));
    return value;
  }

  #flowList(indent: number, depth: number): unknown[] {
    const value: unknown[] = [];
    this.#at++;
    if (this.#gap(indent) === CLOSE_LIST) this.#at++;
    else
      do {
        const entry = this.#offsets.begin(this.#at);
        value.push(this.#flowValue(indent, depth + 1));
        this.#offsets.end(entry, this.#valueEnd);
      } while (!this.#next(indent, CLOSE_LIST));
    return value;
  }
}

/** The documents of a file; undefined: the yaml package is to read it. */
export const readQuickly = (text: string): QuickDocument[] | undefined => atOnce(quickSteps(text));

/** The same in steps. */
export function* quickSteps(text: string): Steps<QuickDocument[] | undefined> {
  if (RARE_LETTERS.test(text)) return undefined;
  try {
    return yield* new QuickReader(text).documents();
  } catch (error) {
    // A text of many millions of letters is more than a regular expression's stack holds.
    if (error === unusual || error instanceof RangeError) return undefined;
    throw error;
  }
}
