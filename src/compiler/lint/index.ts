/** What is allowed and probably not meant. */
import type { Diagnostics } from '../diagnostic.js';
import type { Program } from '../program.js';
import { lintCuts } from './cuts.js';
import { lintPaths } from './paths.js';
import { lintShadowed } from './shadowed.js';

export function lint(program: Program, diagnostics: Diagnostics): void {
  lintShadowed(program, diagnostics);
  lintPaths(program, diagnostics);
  lintCuts(program, diagnostics);
}
