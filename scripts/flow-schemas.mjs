// Writes flows/schema/: a JSON Schema for each kind of flow file, from src/compiler/schema. --check: says what is not up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonSchema, kinds, schemaFile } from '../dist/src/compiler/schema/index.js';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'flows', 'schema');
mkdirSync(folder, { recursive: true });
let stale = 0;
for (const kind of Object.keys(kinds)) {
  const path = join(folder, schemaFile(kind));
  const text = `${JSON.stringify(jsonSchema(kind), null, 1)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`${path} is not what src/compiler/schema says: npm run schema:flows`);
    stale = 1;
  }
}
process.exitCode = stale;
