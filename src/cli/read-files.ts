/** Flow files from the disk, compiled. */
import { isUtf8 } from 'node:buffer';
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
    const text = textOf(readFileSync(path === '-' ? STANDARD_INPUT : path));
    return new SourceFile(path === '-' ? 'standard input' : path, text);
  } catch (error) {
    throw new CommandFailed(`cannot read ${path}: ${messageOf(error)}`, 2);
  }
}

const NEWLINE = 10;

/** Without a byte order mark. Throws a sentence for what is no UTF-8, in which YAML and JSON are written (RFC 8259 §8.1). */
function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8').replace(/^\ufeff/, '');
  let line = 1;
  for (let from = 0; ; line++) {
    const end = bytes.indexOf(NEWLINE, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) break;
    from = end + 1;
  }
  throw new Error(`line ${line} is not UTF-8`);
}

/** What other switches than xvifd do not do of what files say; `check`, which is for xvifd, does not tell of it. */
export function leftOut(found: Diagnostics): Diagnostics {
  const left = new Diagnostics();
  for (const one of found.sorted()) if (one.code === 'health' || one.code === 'icmp-errors') left.add(one);
  return left;
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
