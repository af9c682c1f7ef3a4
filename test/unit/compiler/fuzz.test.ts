/** Damaged files: whatever stands there, an answer comes, places lie within the file, and nothing is thrown. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lint, report, reportFormats } from '../../../src/compiler/index.js';
import { runTests } from '../../../src/simulator/run-tests.js';
import { compiled, readCases } from './cases.js';

const flows = fileURLToPath(new URL('../../../flows/', import.meta.url));
const shipped = readdirSync(flows).filter((name) => name.endsWith('.yaml'));
const good = [
  ...['right.txt', 'lint.txt', 'chains-right.txt', 'chains-lint.txt'].flatMap((file) =>
    readCases(file).map(({ input }) => input),
  ),
  ...shipped.map((name) => readFileSync(`${flows}${name}`, 'utf8')),
];

/** Letters that mean something to YAML, to ovs-ofctl's text, or to us. */
const splinter = fc.oneof(
  fc.constantFrom(...'{}[]:,-?&*!|>%@`#\'"$\t\n\r /0=()<~\u0000\ufeff'),
  fc.constantFrom(
    '${',
    '${mac:',
    '---\n',
    '<<: ',
    '*a',
    '&a ',
    '!!binary ',
    '0x',
    '-1',
    '1e9',
    'null',
    '.inf',
    '...\n',
    '__proto__: ',
    'constructor',
  ),
  fc.string({ maxLength: 4 }),
);

const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(12), put: splinter });

function damaged(text: string, edits: readonly { at: number; cut: number; put: string }[]): string {
  return edits.reduce((whole, { at, cut, put }) => {
    const from = Math.floor(at * whole.length);
    return whole.slice(0, from) + put + whole.slice(from + cut);
  }, text);
}

describe('damaged files', () => {
  it('are answered', () => {
    fc.assert(
      fc.property(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
        const input = damaged(text, edits);
        const { program, diagnostics } = compiled(input);
        if (diagnostics.errors === 0) {
          lint(program, diagnostics);
          runTests(program, diagnostics);
        }
        for (const { range } of diagnostics.sorted()) {
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.start).toBeLessThanOrEqual(input.length);
          expect(range.end).toBeGreaterThan(range.start);
        }
        for (const format of reportFormats) expect(typeof report(diagnostics, format, '0')).toBe('string');
      }),
      { numRuns: Number(process.env.XVIF_FUZZ_RUNS ?? 200) },
    );
  }, 600_000);
});
