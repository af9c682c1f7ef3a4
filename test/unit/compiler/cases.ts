/** Files of cases: `=== name`, a flow file, `>>>`, what is expected. UPDATE=1 writes what came out instead. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type CompileOptions,
  compile,
  Diagnostics,
  PlaceholderPorts,
  type PortResolver,
  type Program,
  SourceFile,
} from '../../../src/compiler/index.js';

const folder = fileURLToPath(new URL('../../fixtures/flow-files/', import.meta.url));

export interface Case {
  readonly name: string;
  readonly input: string;
  readonly expected: string;
}

export function readCases(file: string): Case[] {
  const [, ...parts] = readFileSync(`${folder}${file}`, 'utf8').split(/^=== /m);
  return parts.map((part) => {
    const [head, expected] = part.split(/^>>>$\n/m);
    const end = head!.indexOf('\n');
    return { name: head!.slice(0, end), input: head!.slice(end + 1), expected: (expected ?? '').trim() };
  });
}

export const updating = process.env.UPDATE === '1';

export function writeCases(file: string, intro: string, cases: readonly Case[]): void {
  const parts = cases.map(({ name, input, expected }) => `=== ${name}\n${input}>>>\n${expected}\n`);
  writeFileSync(`${folder}${file}`, `${intro}\n\n${parts.join('\n')}`);
}

export function compiled(
  text: string,
  ports: PortResolver = new PlaceholderPorts(),
  options: CompileOptions = {},
): { readonly program: Program; readonly diagnostics: Diagnostics } {
  const diagnostics = new Diagnostics();
  return { program: compile([new SourceFile('f.yaml', text)], ports, diagnostics, options), diagnostics };
}

/** `line:column severity code: message` */
export function said(diagnostics: Diagnostics): string {
  return diagnostics
    .sorted()
    .map(({ file, range, severity, code, message }) => {
      const { line, column } = file.place(range.start);
      return `${line}:${column} ${severity} ${code}: ${message}`;
    })
    .join('\n');
}
