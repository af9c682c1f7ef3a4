/** The quick yes or no says what zod says. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { conforms } from '../../../src/compiler/conforms.js';
import { Diagnostics, SourceFile } from '../../../src/compiler/index.js';
import { readDocuments } from '../../../src/compiler/read.js';
import { type Kind, kinds } from '../../../src/compiler/schema/index.js';
import { readCases } from './cases.js';

const flows = fileURLToPath(new URL('../../../flows/', import.meta.url));
const texts = [
  ...['right.txt', 'lint.txt', 'wrong.txt', 'chains-right.txt', 'chains-wrong.txt'].flatMap((file) =>
    readCases(file).map(({ input }) => input),
  ),
  ...readdirSync(flows)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(`${flows}${name}`, 'utf8')),
];
const documents = texts.flatMap((text) =>
  readDocuments(new SourceFile('f.yaml', text), new Diagnostics()).map(({ value }) => value),
);
const kindOf = (document: unknown): Kind | undefined => {
  const { kind } = (document ?? {}) as { kind?: unknown };
  return typeof kind === 'string' && Object.hasOwn(kinds, kind) ? (kind as Kind) : undefined;
};
const known = documents.filter((document) => kindOf(document) !== undefined);

/** A document with one value somewhere in it replaced. */
function changed(value: unknown, where: readonly number[], put: unknown): unknown {
  const [step, ...rest] = where;
  if (step === undefined || typeof value !== 'object' || value === null) return put;
  const keys = Object.keys(value);
  if (keys.length === 0) return put;
  const key = keys[step % keys.length]!;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  copy[key] = changed(copy[key], rest, put);
  return copy;
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    65_535,
    65_536,
    1.5,
    Number.MAX_VALUE,
    '',
    'a',
    'normal',
    [],
    ['a'],
    [1],
    {},
  ),
  fc.constantFrom<unknown>(
    { goto: 'x' },
    { vm: 'a' },
    { vm: 'a', device: 1, mac: 'b' },
    { output: 1, set: {} },
    { constructor: 1 },
  ),
  fc.string({ maxLength: 70 }),
  fc.anything({ maxDepth: 2 }),
);

describe('a value conforms to a schema', () => {
  it('where zod says so', () => {
    expect(known.length).toBeGreaterThan(50);
    let conforming = 0;
    for (const document of known) {
      const schema = kinds[kindOf(document)!];
      const expected = schema.safeParse(document).success;
      expect(conforms(schema)(document)).toBe(expected);
      if (expected) conforming++;
    }
    expect(conforming).toBeGreaterThan(30);
  });

  it('where zod says so, of documents with something odd in them', () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.array(fc.nat(20), { maxLength: 9 }), odd, (document, where, put) => {
        const schema = kinds[kindOf(document)!];
        const value = changed(document, where, put);
        if (conforms(schema)(value)) expect(schema.safeParse(value).success).toBe(true);
        else expect(schema.safeParse(value).success && !hasUndefined(value)).toBe(false);
      }),
      { numRuns: Number(process.env.XVIF_FUZZ_RUNS ?? 500) },
    );
  }, 600_000);

  it('never, where the schema makes something new of it', () => {
    expect(conforms(z.string().transform((text) => text.length))('a')).toBe(false);
    expect(conforms(z.date())(new Date(0))).toBe(false);
  });
});

/** No file has any. */
const hasUndefined = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && Object.values(value).some(hasUndefined));
