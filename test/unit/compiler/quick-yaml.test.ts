/** What the quick reader reads is what the yaml package reads, value by value and place by place. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Diagnostics, SourceFile } from '../../../src/compiler/index.js';
import type { Path } from '../../../src/compiler/places.js';
import { readQuickly } from '../../../src/compiler/quick-yaml.js';
import { readDocuments, readYaml, type SourceDocument } from '../../../src/compiler/read.js';
import { readCases } from './cases.js';

const flows = fileURLToPath(new URL('../../../flows/', import.meta.url));
const shipped = readdirSync(flows)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => [name, readFileSync(`${flows}${name}`, 'utf8')] as const);
const cases = ['right.txt', 'lint.txt', 'wrong.txt', 'chains-right.txt', 'chains-lint.txt'].flatMap((file) =>
  readCases(file).map(({ input }) => input),
);

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, each]) =>
      pathsOf(each, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

const everyPlace = (document: SourceDocument) =>
  pathsOf(document.value).map((path) => ({
    path,
    value: document.rangeOf(path),
    key: document.keyRangeOf(path),
    beyond: document.keyRangeOf([...path, 'no such key']),
    first: document.rangeIn(path, 0),
    third: document.rangeIn(path, 2, 3),
  }));

/** False: it was left to the yaml package. */
function agrees(text: string): boolean {
  if (readQuickly(text) === undefined) return false;
  const file = new SourceFile('f.yaml', text);
  const diagnostics = new Diagnostics();
  const [quick, slow] = [readDocuments(file, diagnostics), readYaml(file, diagnostics)];
  expect(diagnostics.sorted()).toEqual([]);
  expect(quick.map(({ value }) => value)).toEqual(slow.map(({ value }) => value));
  expect(quick.map(everyPlace)).toEqual(slow.map(everyPlace));
  expect(quick.map(({ written }) => written.line)).toEqual(slow.map(({ written }) => written.line));
  return true;
}

describe('the quick reader', () => {
  it.each(shipped)('reads %s', (_, text) => expect(agrees(text)).toBe(true));

  it.each([
    ['lists as far out as their key', 'a:\n- b: 1\n  c: [x, "y"]\n-   d: {e: 5, f: 0x1F}\nz: 1\n'],
    ['comments', '# one\n\na: 1 # two\n# three\nb:   # four\n  # five\n  - x#y   # six\n  - z\n  # seven\n'],
    ['quotes', `a: "x: \\"y\\" \\u0041"\nb: 'it''s # no comment'\n"c d": {"e":1,'f': "2"}\n`],
    ['lines of text', 'a: |\n  one # two\n\n    three\n  four\n\n\nb: [1]\nc:\n  - |\n    x\n'],
    ['brackets over lines', 'a: {b: [1,\n    2, # two\n    3],\n  c: {}, d: []}\n'],
    ['documents', '# first\na: 1\n--- # second\na: 2\n---\na: 3\n'],
    ['addresses', 'a: [10.0.0.1, 10.0.0.0/24, 8000-8099, 02:00:00:00:00:01, fe80::1, 1.2.3, 007, a:b]\nb: 0x5/0xff\n'],
    [
      'words',
      'a: [true, false, nullable, truely, e5, x1, _y, /z, ./w]\nb: some words, and [more] {of} them: no'.replace(
        ': no',
        '',
      ),
    ],
    [
      'long lists',
      `a:\n${Array.from({ length: 40 }, (_, n) => `  - {n: ${n}, of: [${n}, x${n}]}\n`).join('')}b: [${Array.from({ length: 20 }, (_, n) => `w${n}`)}]\n`,
    ],
    ['no newline at the end', 'a:\n  b: |\n    c'],
    ['JSON', '{"a": [1, "b"],\n "c": {"d": "e\\n"}}'],
    ['nothing', '# nothing\n'],
  ])('reads %s', (_, text) => expect(agrees(text)).toBe(true));

  it.each([
    ['anchors', 'a: &x 1\nb: *x\n'],
    ['tags', 'a: !!str 1\n'],
    ['keys that are there twice', 'a: 1\na: 2\n'],
    ['keys that are there twice, in brackets', 'a: {b: 1, b: 2}\n'],
    ['nothing behind a key', 'a:\nb: 1\n'],
    ['words of the schema', 'a: [True, null]\n'],
    ['fractions', 'a: 1.5\n'],
    ['numbers that a double cannot hold', 'a: 12345678901234567890\n'],
    ['folded lines', 'a: >\n  b\n'],
    ['texts over lines', 'a: b\n  c\n'],
    ['quotes over lines', 'a: "b\n  c"\n'],
    ['tabs', 'a:\t1\n'],
    ['carriage returns', 'a: 1\r\n'],
    ['pairs in lists', 'a: [b: 1]\n'],
    ['maps in one line', 'a: b: c\n'],
    ['brackets that are not indented', 'a: {\nb: 1}\n'],
    ['brackets that do not end', 'a: [1, 2\n'],
    ['something behind brackets', 'a: [1] 2\n'],
    ['lists of lists', '- - 1\n'],
    ['prototypes', '__proto__: 1\n'],
    ['too deep', `a: ${'['.repeat(70)}${']'.repeat(70)}\n`],
    ['versions', '%YAML 1.1\n---\na: 1\n'],
    ['the end of a document', 'a: 1\n...\nb: 2\n'],
    ['dashes that are no separator', 'a: 1\n----\nb: 2\n'],
    ['no map', 'text\n'],
  ])('leaves %s to the yaml package', (_, text) => expect(readQuickly(text)).toBeUndefined());

  const splinter = fc.oneof(
    fc.constantFrom(...'{}[]:,-?&*!|>%@`#\'"$\n /0=()<~.ax5'),
    fc.constantFrom(
      '\n  ',
      '\n---\n',
      ': ',
      ' #',
      '\n# c\n',
      '- ',
      '|\n',
      ' \n',
      "''",
      '\\',
      '1e9',
      'null',
      '\n...\n',
      '"a":1',
    ),
  );
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(6), put: splinter });

  it('agrees on damaged files', () => {
    let read = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...cases, ...shipped.map(([, text]) => text)),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        (text, edits) => {
          const damaged = edits.reduce((whole, { at, cut, put }) => {
            const from = Math.floor(at * whole.length);
            return whole.slice(0, from) + put + whole.slice(from + cut);
          }, text);
          if (agrees(damaged)) read++;
        },
      ),
      { numRuns: Number(process.env.XVIF_FUZZ_RUNS ?? 1000) },
    );
    expect(read).toBeGreaterThan(0);
  }, 600_000);

  it('agrees on what is made of the letters that mean something', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '1',
      '- ',
      ': ',
      ':',
      '\n',
      '\n  ',
      '\n    ',
      '{',
      '}',
      '[',
      ']',
      ', ',
      '"',
      "'",
      ' # ',
      '|\n',
      '---',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        agrees(`a${pieces.join('')}`);
      }),
      { numRuns: 20 * Number(process.env.XVIF_FUZZ_RUNS ?? 1000) },
    );
  }, 600_000);
});

it('leaves a text of many millions of letters to the yaml package, or reads it', () => {
  const long = 'x'.repeat(20_000_000);
  const read = readQuickly(`a: ${long}\nb: [${long}]\n`);
  expect(read === undefined || (read[0]!.value as { a: string }).a === long).toBe(true);
});
