/** Flow files from the disk, compiled. */
import { readFileSync } from 'node:fs';
import { readVersion } from '../api/version.js';
import { messageOf } from '../base/error.js';
import {
  type CompileOptions,
  compile,
  Diagnostics,
  type KnownPort,
  type PortResolver,
  type Program,
  type ReportFormat,
  readPortFile,
  report,
  SourceFile,
} from '../compiler/index.js';
import { CommandFailed, type Printer } from './context.js';

export interface FileOptions {
  readonly port: readonly KnownPort[];
  readonly ports?: string;
  readonly format: ReportFormat;
}

const STANDARD_INPUT = 0;

export function readSource(path: string): SourceFile {
  try {
    const text = readFileSync(path === '-' ? STANDARD_INPUT : path, 'utf8');
    return new SourceFile(path === '-' ? 'standard input' : path, text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new CommandFailed(`cannot read ${path}: ${messageOf(error)}`, 2);
  }
}

/** `resolver` makes of the ports that were told what names are looked up in. */
export function compileSources(
  paths: readonly string[],
  options: FileOptions,
  resolver: (ports: readonly KnownPort[]) => PortResolver,
  compileOptions: CompileOptions = {},
): { readonly program: Program; readonly diagnostics: Diagnostics } {
  const diagnostics = new Diagnostics();
  const listed = options.ports === undefined ? [] : readPortFile(readSource(options.ports), diagnostics);
  const program = compile(paths.map(readSource), resolver([...options.port, ...listed]), diagnostics, compileOptions);
  return { program, diagnostics };
}

/** Prints what was found, in any form but text only if that is all there is to print. */
export function printReport({ print }: Printer, diagnostics: Diagnostics, format: ReportFormat): void {
  const text = report(diagnostics, format, readVersion());
  if (text !== '') print(text);
}

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
