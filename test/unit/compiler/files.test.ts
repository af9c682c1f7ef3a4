/** Wrong files and what is said of them; right files and the flows that they become. */
import { formatFlow, formatGroup, formatMeter } from 'node-openflow/text';
import { afterAll, describe, expect, it } from 'vitest';
import { type CompileOptions, lint, PlaceholderPorts, type Program } from '../../../src/compiler/index.js';
import { runTests } from '../../../src/simulator/run-tests.js';
import { type Case, compiled, readCases, said, updating, writeCases } from './cases.js';

/** Without cookies: they are hashes. */
function flowsOf({ flows, groups, meters }: Program): string {
  return [
    ...meters.map(({ mod }) => formatMeter(mod)),
    ...groups.map(({ mod }) => formatGroup(mod)),
    ...flowTexts(flows),
  ].join('\n');
}

/** The shares of a chain's `learn` are alike: the first stands for them. */
function flowTexts(flows: Program['flows']): string[] {
  const shares = flows.filter(({ origin }) => origin.name === 'learn/shares');
  return flows.flatMap((flow) => {
    const { mod, origin } = flow;
    if (origin.name !== 'learn/shares' || flow === shares[0])
      return [`${origin.name}: ${formatFlow({ ...mod, cookie: 0n })}`];
    return flow === shares.at(-1) ? [`learn/shares: ${shares.length - 1} more`] : [];
  });
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

const wrong =
  (options?: CompileOptions) =>
  (input: string): string => {
    const { diagnostics } = compiled(input, new PlaceholderPorts(), options);
    expect(diagnostics.errors).toBeGreaterThan(0);
    return said(diagnostics);
  };

const right =
  (options?: CompileOptions) =>
  (input: string): string => {
    const { program, diagnostics } = compiled(input, new PlaceholderPorts(), options);
    expect(diagnostics.errors + diagnostics.warnings, said(diagnostics)).toBe(0);
    return flowsOf(program);
  };

const linted =
  (options?: CompileOptions) =>
  (input: string): string => {
    const { program, diagnostics } = compiled(input, new PlaceholderPorts(), options);
    expect(diagnostics.errors, said(diagnostics)).toBe(0);
    lint(program, diagnostics);
    const { run, failed } = runTests(program, diagnostics);
    return [said(diagnostics), `${run} tests, ${failed} failed`].filter((line) => line !== '').join('\n');
  };

/** Chains as xvifd compiles them. */
const asked = { localAgents: true };
const mistakes = 'and what is said of them: line:column severity code: message.';
suite('wrong.txt', `Files with mistakes, ${mistakes}`, wrong());
suite('chains-wrong.txt', `Chains with mistakes, ${mistakes}`, wrong(asked));
suite('right.txt', 'Files and the flows that they become.', right());
suite('chains-right.txt', 'Chains and the flows that they become.', right(asked));
suite('lint.txt', 'Files with what is probably not meant, and with tests, and what is said of them.', linted());
suite(
  'chains-lint.txt',
  'Chains with what is probably not meant, and with tests, and what is said of them.',
  linted(asked),
);
