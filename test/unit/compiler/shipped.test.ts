/** What is shipped in flows/: clean, tested, and with schemas that are those of the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { lint } from '../../../src/compiler/index.js';
import { jsonSchema, type Kind, kinds, schemaFile } from '../../../src/compiler/schema/index.js';
import { runTests } from '../../../src/simulator/run-tests.js';
import { compiled, said } from './cases.js';

const folder = fileURLToPath(new URL('../../../flows/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe('flows/', () => {
  it('has files', () => expect(files.length).toBeGreaterThanOrEqual(5));

  for (const file of files) {
    it(`${file} is clean and its tests pass`, () => {
      const { program, diagnostics } = compiled(readFileSync(`${folder}${file}`, 'utf8'));
      lint(program, diagnostics);
      const { run, failed } = runTests(program, diagnostics);
      expect({ errors: diagnostics.errors, warnings: diagnostics.warnings, failed }, said(diagnostics)).toEqual({
        errors: 0,
        warnings: 0,
        failed: 0,
      });
      expect(run).toBeGreaterThan(0);
    });
  }

  for (const kind of Object.keys(kinds) as Kind[]) {
    it(`the schema of ${kind} is up to date`, () => {
      const written: unknown = JSON.parse(readFileSync(`${folder}schema/${schemaFile(kind)}`, 'utf8'));
      expect(written).toEqual(JSON.parse(JSON.stringify(jsonSchema(kind))));
    });
  }
});
