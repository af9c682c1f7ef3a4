/** Chains of other formats: what they become is what check is content with; wrong and damaged files are answered. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Diagnostics, type ImportFormat, importChains, lint, SourceFile } from '../../../src/compiler/index.js';
import { type Case, compiled, readCases, said, updating, writeCases } from './cases.js';

const folder = fileURLToPath(new URL('../../fixtures/chain-imports/', import.meta.url));
const files: Readonly<Record<ImportFormat, string>> = {
  'networking-sfc': 'networking-sfc.json',
  tosca: 'tosca.yaml',
  sol001: 'sol001.yaml',
  sol006: 'sol006.yaml',
};
const formats = Object.keys(files) as ImportFormat[];

function imported(format: ImportFormat, name: string, text: string) {
  const diagnostics = new Diagnostics();
  return { diagnostics, output: importChains(format, new SourceFile(name, text), diagnostics) };
}
const read = (name: string): string => readFileSync(`${folder}${name}`, 'utf8');

describe('chains of other formats', () => {
  for (const format of formats) {
    it(`${format} becomes a chain that is right`, () => {
      const { output, diagnostics } = imported(format, files[format], read(files[format]));
      expect(output, said(diagnostics)).toBeDefined();
      const expected = `${format}.expected.yaml`;
      if (updating || !existsSync(`${folder}${expected}`)) writeFileSync(`${folder}${expected}`, output!);
      expect(output).toBe(read(expected));
      const found = compiled(output!);
      lint(found.program, found.diagnostics);
      expect(said(found.diagnostics)).toBe('');
      expect(found.program.chains.length).toBeGreaterThan(0);
    });
  }

  it('of one file are led to one after the other', () => {
    const text = read('networking-sfc.json').replace(
      '"port_chains": [',
      '"port_chains": [{"name": "first", "port_pair_groups": ["IDS_PPG"]}, ',
    );
    const { output } = imported('networking-sfc', 'f', text);
    const { program, diagnostics } = compiled(output!);
    expect(said(diagnostics)).toBe('');
    expect(output).toContain('goto: PC1/arrive');
    expect(program.chains.map(({ document }) => document)).toEqual(['first', 'PC1']);
  });

  it('keep one direction where a leg serves both', () => {
    const text = read('networking-sfc.json').replaceAll('"tap_enabled": true', '"tap_enabled": false');
    const { output } = imported('networking-sfc', 'f', text);
    expect(output).toContain('# Not carried over: symmetric: instances with one leg');
    expect(said(compiled(output!).diagnostics)).toBe('');
  });
});

describe('wrong files of other formats', () => {
  const found: Case[] = [];
  for (const one of readCases('../chain-imports/wrong.txt')) {
    it(one.name, () => {
      const [format] = one.name.split(':') as [ImportFormat];
      const { diagnostics, output } = imported(format, 'f', one.input);
      expect(output).toBeUndefined();
      const expected = said(diagnostics);
      found.push({ ...one, expected });
      if (!updating) expect(expected).toBe(one.expected);
    });
  }
  const intro = 'Files of other formats with mistakes, and what is said of them: line:column severity code: message.';
  afterAll(() => {
    if (updating) writeCases('../chain-imports/wrong.txt', intro, found);
  });
});

describe('damaged files of other formats', () => {
  const splinter = fc.oneof(
    fc.constantFrom(...'{}[]:,-?&*!|>"\n 0\'#', 'null', '~', '1e9', '""', '*a', '__proto__: ', '---\n', '-1'),
    fc.string({ maxLength: 4 }),
  );
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(24), put: splinter });
  const texts = formats.map((format) => [format, read(files[format])] as const);

  it('are answered, and what they become is text that check takes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        ([format, text], edits) => {
          const input = edits.reduce((whole, { at, cut, put }) => {
            const from = Math.floor(at * whole.length);
            return whole.slice(0, from) + put + whole.slice(from + cut);
          }, text);
          const { diagnostics, output } = imported(format, 'f', input);
          expect(output === undefined).toBe(diagnostics.errors > 0);
          for (const { range } of diagnostics.sorted()) {
            expect(range.start).toBeGreaterThanOrEqual(0);
            expect(range.start).toBeLessThanOrEqual(input.length);
          }
          if (output === undefined) return;
          const codes = compiled(output)
            .diagnostics.sorted()
            .map(({ code }) => code);
          for (const code of ['syntax', 'kind', 'unknown-key', 'type']) expect(codes).not.toContain(code);
        },
      ),
      { numRuns: Number(process.env.XVIF_FUZZ_RUNS ?? 200) },
    );
  }, 600_000);
});
