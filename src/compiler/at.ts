/** A value in a document and its place, for walking down: `at.key('spec').key('tables').key(0)`. */
import type { Diagnostic, DiagnosticCode, Diagnostics, Related, Severity } from './diagnostic.js';
import type { Path } from './places.js';
import type { SourceDocument } from './read.js';
import type { Place, Range, SourceFile } from './source.js';

export class At {
  /** Undefined: it is the whole document. */
  readonly #in: At | undefined;
  readonly #step: string | number;

  private constructor(
    readonly document: SourceDocument,
    within: At | undefined,
    step: string | number,
    /** Undefined: nothing stands there. */
    readonly value: unknown,
  ) {
    this.#in = within;
    this.#step = step;
  }

  static root(document: SourceDocument): At {
    return new At(document, undefined, '', document.value);
  }

  /** Made when it is asked for: there are many values, and few that something is said of. */
  get path(): Path {
    const path: (string | number)[] = [];
    for (let at: At = this; at.#in !== undefined; at = at.#in) path.push(at.#step);
    return path.reverse();
  }

  get file(): SourceFile {
    return this.document.file;
  }

  key(step: string | number): At {
    const inside = this.value as Record<string | number, unknown> | undefined | null;
    const value =
      inside !== null && typeof inside === 'object' && Object.hasOwn(inside, step) ? inside[step] : undefined;
    return new At(this.document, this, step, value);
  }

  /** The collection that it stands in. */
  parent(): At {
    return this.#in ?? this;
  }

  /** The elements of a list; a single value is a list of one. */
  each(): At[] {
    if (this.value === undefined) return [];
    return Array.isArray(this.value) ? this.value.map((_, i) => this.key(i)) : [this];
  }

  /** The values of a map, by key. */
  entries(): (readonly [string, At])[] {
    return Object.keys((this.value ?? {}) as object).map((key) => [key, this.key(key)] as const);
  }

  range(): Range {
    return this.document.rangeOf(this.path);
  }
  keyRange(): Range {
    return this.document.keyRangeOf(this.path);
  }
  /** `length` letters of a text. */
  rangeIn(index: number, length = 1): Range {
    return this.document.rangeIn(this.path, index, length);
  }
  place(): Place {
    return this.file.place(this.range().start);
  }
}

export interface Saying {
  readonly severity?: Severity;
  readonly range?: Range;
  readonly suggestion?: string | undefined;
  readonly related?: readonly Related[];
}

/** Says something of a value. */
export function say(diagnostics: Diagnostics, at: At, code: DiagnosticCode, message: string, more: Saying = {}): void {
  const { severity = 'error', range = at.range(), suggestion, related } = more;
  const diagnostic: Diagnostic = {
    severity,
    code,
    message,
    file: at.file,
    range,
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(related === undefined ? {} : { related }),
  };
  diagnostics.add(diagnostic);
}

export const seen = (at: At, message: string): Related => ({ message, file: at.file, range: at.range() });
