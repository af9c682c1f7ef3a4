/** Wrong files and what is said of them; right files and the flows that they become. */
import { formatFlow, formatGroup, formatMeter } from 'node-openflow/text';
import { afterAll, describe, expect, it } from 'vitest';
import { lint, type Program } from '../../../src/compiler/index.js';
import { runTests } from '../../../src/simulator/run-tests.js';
import { type Case, compiled, readCases, said, updating, writeCases } from './cases.js';

/** Without cookies: they are hashes. */
function flowsOf({ flows, groups, meters }: Program): string {
  return [
    ...meters.map(({ mod }) => formatMeter(mod)),
    ...groups.map(({ mod }) => formatGroup(mod)),
    ...flows.map(({ mod, origin }) => `${origin.name}: ${formatFlow({ ...mod, cookie: 0n })}`),
  ].join('\n');
}

function suite(file: string, intro: string, outcome: (input: string) => string): void {
  const found: Case[] = [];
  describe(file, () => {
    for (const one of readCases(file)) {
      it(one.name, () => {
        const expected = outcome(one.input);
        found.push({ ...one, expected });
        if (!updating) expect(expected).toBe(one.expected);
      });
    }
    afterAll(() => {
      if (updating) writeCases(file, intro, found);
    });
  });
}

suite('wrong.txt', 'Files with mistakes, and what is said of them: line:column severity code: message.', (input) => {
  const { diagnostics } = compiled(input);
  expect(diagnostics.errors).toBeGreaterThan(0);
  return said(diagnostics);
});

suite('right.txt', 'Files and the flows that they become.', (input) => {
  const { program, diagnostics } = compiled(input);
  expect(diagnostics.errors + diagnostics.warnings, said(diagnostics)).toBe(0);
  return flowsOf(program);
});

suite('lint.txt', 'Files with what is probably not meant, and with tests, and what is said of them.', (input) => {
  const { program, diagnostics } = compiled(input);
  expect(diagnostics.errors).toBe(0);
  lint(program, diagnostics);
  const { run, failed } = runTests(program, diagnostics);
  return [said(diagnostics), `${run} tests, ${failed} failed`].filter((line) => line !== '').join('\n');
});
