/** Documents against the schemas; what zod finds becomes sentences with places. */
import { nearest } from 'node-openflow/text';
import type * as z from 'zod';
import { At, say } from './at.js';
import { conforms } from './conforms.js';
import type { Diagnostics } from './diagnostic.js';
import type { SourceDocument } from './read.js';
import { API_VERSION, type Kind, kinds } from './schema/index.js';

type Issue = z.core.$ZodIssue;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The document's kind, if it is one and as it has to be. */
export function validate(document: SourceDocument, diagnostics: Diagnostics): Kind | undefined {
  const root = At.root(document);
  if (!isRecord(document.value)) {
    say(
      diagnostics,
      root,
      'type',
      `a document is a map with apiVersion, kind, metadata and spec, not ${nameOf(document.value)}`,
    );
    return undefined;
  }
  const kind = kindOf(root, diagnostics);
  if (kind === undefined) return undefined;
  return fits(root, kinds[kind], diagnostics) ? kind : undefined;
}

/** Whether a value is as a schema has it; what is not is said. */
export function fits(root: At, schema: z.ZodType, diagnostics: Diagnostics): boolean {
  if (conforms(schema)(root.value)) return true;
  const result = schema.safeParse(root.value);
  if (result.success) return true;
  for (const issue of told(result.error.issues)) explain(root, issue, schema, diagnostics);
  return false;
}

/** What is missing where a key is misspelt is told by the misspelt key. */
function told(issues: readonly Issue[]): Issue[] {
  const misspelt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => path.join('/')));
  return issues.filter(({ code, path }) => code !== 'custom' || !misspelt.has(path.join('/')));
}

function kindOf(root: At, diagnostics: Diagnostics): Kind | undefined {
  const [version, kind] = [root.key('apiVersion'), root.key('kind')];
  for (const [name, at] of [
    ['apiVersion', version],
    ['kind', kind],
  ] as const) {
    if (at.value === undefined) say(diagnostics, root, 'missing', `${name} is missing`);
  }
  if (version.value === undefined || kind.value === undefined) return undefined;
  if (version.value !== API_VERSION) {
    const text = `apiVersion ${JSON.stringify(version.value)} is not known; this is ${API_VERSION}`;
    say(diagnostics, version, 'kind', text, { suggestion: API_VERSION });
    return undefined;
  }
  if (typeof kind.value === 'string' && Object.hasOwn(kinds, kind.value)) return kind.value as Kind;
  const names = Object.keys(kinds);
  const suggestion = nearest(String(kind.value), names);
  say(diagnostics, kind, 'kind', `there is no kind ${JSON.stringify(kind.value)}; there are ${listed(names)}`, {
    suggestion,
  });
  return undefined;
}

/** The value that stands at a path of an issue. */
const atOf = (root: At, path: readonly PropertyKey[]): At =>
  path.reduce<At>((at, step) => at.key(typeof step === 'symbol' ? String(step) : step), root);

function explain(root: At, issue: Issue, schema: z.ZodType, diagnostics: Diagnostics): void {
  const at = atOf(root, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) unknownKey(at, key, keysOf(schema, issue.path, at), diagnostics);
      return;
    case 'invalid_union':
      explainUnion(root, at, issue, schema, diagnostics);
      return;
    case 'invalid_type':
      if (at.value === undefined) {
        const parent = atOf(root, issue.path.slice(0, -1));
        say(diagnostics, parent, 'missing', `${String(issue.path.at(-1))} is missing`);
        return;
      }
      say(diagnostics, at, 'type', `${labelOf(at)} is ${nameOf(at.value)} and must be ${article(issue.expected)}`);
      return;
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (at.value === undefined) {
        const parent = atOf(root, issue.path.slice(0, -1));
        say(diagnostics, parent, 'missing', `${String(issue.path.at(-1))} is missing`);
        return;
      }
      const suggestion = nearest(String(at.value), values);
      say(diagnostics, at, 'value', `${labelOf(at)} is ${shown(at.value)} and must be ${either(values)}`, {
        suggestion,
      });
      return;
    }
    case 'too_big':
      say(diagnostics, at, 'value', `${labelOf(at)}: ${sizeOf(at.value)} is more than ${issue.maximum}`);
      return;
    case 'too_small':
      say(diagnostics, at, 'value', `${labelOf(at)}: ${sizeOf(at.value)} is less than ${issue.minimum}`);
      return;
    case 'invalid_format':
      say(diagnostics, at, 'value', `${shown(at.value)} ${issue.message}`);
      return;
    case 'invalid_key':
      for (const inner of issue.issues) {
        say(diagnostics, at, 'value', `${shown(issue.path.at(-1))} ${inner.message}`, { range: at.keyRange() });
      }
      return;
    default:
      say(diagnostics, at, at.value === undefined ? 'missing' : 'value', issue.message);
  }
}

function unknownKey(at: At, key: string, known: readonly string[], diagnostics: Diagnostics): void {
  const suggestion = nearest(key, known);
  const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
  const where = at.path.length === 0 ? 'a document' : labelOf(at);
  say(diagnostics, at, 'unknown-key', `unknown key ${JSON.stringify(key)} in ${where}${hint}`, {
    range: at.key(key).keyRange(),
    suggestion,
  });
}

type UnionIssue = Extract<Issue, { readonly code: 'invalid_union' }>;

/** What it is nearest to is what is complained of: the alternative that got furthest, if one fits the value's type. */
function explainUnion(root: At, at: At, issue: UnionIssue, schema: z.ZodType, diagnostics: Diagnostics): void {
  if (at.value === undefined) {
    say(diagnostics, atOf(root, issue.path.slice(0, -1)), 'missing', `${String(issue.path.at(-1))} is missing`);
    return;
  }
  const branches = issue.errors as readonly (readonly Issue[])[];
  const fitting = branches.filter((issues) => !issues.some(isOfOtherType));
  const best = fitting.toSorted((a, b) => a.length - b.length)[0];
  if (best !== undefined && (fitting.length === 1 || best.some(({ path }) => path.length > 0))) {
    for (const inner of told(best)) {
      explain(root, { ...inner, path: [...issue.path, ...inner.path] }, schema, diagnostics);
    }
    return;
  }
  const expected = [...new Set(branches.flatMap((issues) => issues.flatMap(expectedBy)))];
  const words = branches.flat().flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : []));
  const suggestion = typeof at.value === 'string' ? nearest(at.value, words) : undefined;
  say(diagnostics, at, 'type', `${labelOf(at)} is ${shown(at.value)} and must be ${either(expected)}`, { suggestion });
}

/** The alternative is out of the question: the value is of another type, not merely wrong in detail. */
function isOfOtherType(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') {
    return (issue.errors as readonly (readonly Issue[])[]).every((branch) => branch.some(isOfOtherType));
  }
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function expectedBy(issue: Issue): string[] {
  if (issue.path.length > 0) return [];
  if (issue.code === 'invalid_type') return [article(issue.expected)];
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union') return (issue.errors as readonly (readonly Issue[])[]).flat().flatMap(expectedBy);
  return [];
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};
const article = (type: string): string => typeWords[type] ?? type;

function nameOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? `the number ${value}` : `the fraction ${value}`;
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' ? String(value) : 'a map';
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value) : nameOf(value);
const sizeOf = (value: unknown): string =>
  Array.isArray(value)
    ? `a length of ${value.length}`
    : typeof value === 'string'
      ? `a length of ${value.length}`
      : String(value);
const listed = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
const either = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? 'something else') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** How a value is called: by its key, or its place in a list. */
function labelOf(at: At): string {
  const last = at.path.at(-1);
  if (typeof last === 'string') return last;
  const list = at.path.findLast((step) => typeof step === 'string');
  return last === undefined ? 'the document' : `item ${last + 1} of ${list}`;
}

/** The keys that the schema has for the map at a path; of alternatives, those of all maps. */
function keysOf(schema: z.ZodType, path: readonly PropertyKey[], at: At): string[] {
  let here: readonly Definition[] = [schema._zod.def as Definition];
  for (const step of path) here = here.flatMap((definition) => inside(definition, step));
  const keys = here.flatMap((definition) => alternatives(definition)).flatMap(({ shape }) => Object.keys(shape ?? {}));
  const used = new Set(Object.keys((at.value ?? {}) as object));
  return [...new Set(keys)].filter((key) => !used.has(key));
}

interface Definition {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}
const definitionOf = (schema: z.ZodType): Definition => schema._zod.def as unknown as Definition;

function alternatives(definition: Definition): Definition[] {
  if (definition.type === 'union') return definition.options!.flatMap((option) => alternatives(definitionOf(option)));
  if (definition.innerType !== undefined) return alternatives(definitionOf(definition.innerType));
  return [definition];
}

function inside(definition: Definition, step: PropertyKey): Definition[] {
  return alternatives(definition).flatMap(({ type, shape, element, valueType }) => {
    const next = type === 'array' ? element : type === 'record' ? valueType : shape?.[String(step)];
    return next === undefined ? [] : [definitionOf(next)];
  });
}
