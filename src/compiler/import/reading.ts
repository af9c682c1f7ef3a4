/** Reading of foreign documents: values with their places; what is wrong is said, what is not understood is noted. */
import { type At, say } from '../at.js';
import type { Diagnostics } from '../diagnostic.js';

const article = (value: unknown): string =>
  value === null
    ? 'empty'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'a map'
        : JSON.stringify(value);

/** What a value is called: by its key, or its place in a list. */
function labelOf({ path }: At): string {
  const last = path.at(-1);
  if (last === undefined) return 'the document';
  return typeof last === 'string'
    ? last
    : `item ${last + 1} of ${path.findLast((step) => typeof step === 'string') ?? 'the document'}`;
}

export class Reading {
  /** What was not carried over. */
  notes: string[] = [];

  constructor(readonly diagnostics: Diagnostics) {}

  missing(at: At, key: string): undefined {
    say(this.diagnostics, at, 'missing', `${key} is missing`);
    return undefined;
  }

  wrong(at: At, message: string): undefined {
    say(this.diagnostics, at, 'value', message);
    return undefined;
  }

  #type(at: At, wanted: string): undefined {
    say(this.diagnostics, at, 'type', `${labelOf(at)} is ${article(at.value)} and must be ${wanted}`);
    return undefined;
  }

  /** A text, or a number as text; undefined where there is none. */
  text(at: At): string | undefined {
    const { value } = at;
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    return this.#type(at, 'text');
  }

  needed(at: At, key: string): string | undefined {
    const inside = at.key(key);
    return inside.value === undefined ? this.missing(at, key) : this.text(inside);
  }

  number(at: At, least: number, most: number): number | undefined {
    const text = this.text(at);
    if (text === undefined) return undefined;
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    return this.wrong(at, `${labelOf(at)} is ${JSON.stringify(text)} and must be a number from ${least} to ${most}`);
  }

  /** The elements; [] where there are none. */
  list(at: At): At[] {
    if (at.value === undefined || at.value === null) return [];
    if (Array.isArray(at.value)) return at.each();
    this.#type(at, 'a list');
    return [];
  }

  texts(at: At): string[] {
    return this.list(at).flatMap((one) => this.text(one) ?? []);
  }

  /** Whether it is a map; [] is none. */
  map(at: At): boolean {
    const is = typeof at.value === 'object' && at.value !== null && !Array.isArray(at.value);
    if (!is) this.#type(at, 'a map');
    return is;
  }

  entries(at: At): (readonly [string, At])[] {
    if (at.value === undefined || at.value === null || !this.map(at)) return [];
    return [...at.entries()];
  }

  /** Keys that nobody looks at. */
  unread(at: At, what: string, read: readonly string[]): void {
    if (typeof at.value !== 'object') return;
    for (const [key, inside] of at.entries()) {
      const empty =
        inside.value === null || inside.value === '' || (Array.isArray(inside.value) && inside.value.length === 0);
      const nothing =
        typeof inside.value === 'object' && inside.value !== null && Object.keys(inside.value).length === 0;
      if (!read.includes(key) && !empty && !nothing)
        this.notes.push(`${what}: ${key}: ${JSON.stringify(inside.value).slice(0, 200)}`);
    }
  }
}
