/** What is allowed and probably not meant. */
import type { Diagnostics } from '../diagnostic.js';
import type { Program } from '../program.js';
import { lintCuts } from './cuts.js';
import { tablesOf } from './flows.js';
import { lintPaths } from './paths.js';
import { lintShadowed } from './shadowed.js';

export function lint(program: Program, diagnostics: Diagnostics): void {
  const tables = tablesOf(program);
  lintShadowed(program, tables, diagnostics);
  lintPaths(program, diagnostics);
  lintCuts(program, tables, diagnostics);
}
