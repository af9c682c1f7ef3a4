/** Each item of the checklist in docs/security.md has a test that is named by its number. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { advertisedFeatures } from '../../src/vif/index.js';
import { root } from '../lab/process.js';

const ITEMS = Array.from({ length: 29 }, (_, i) => i + 1);
/** Nothing to try without a control ring. */
const OF_CONTROL_RING = [24, 25, 26];
const notYet = advertisedFeatures(1)['feature-ctrl-ring'] === '1' ? [] : OF_CONTROL_RING;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

it('every item of the checklist is named in the title of a test', () => {
  const named = new Set<number>();
  for (const file of filesBelow(join(root, 'test'))) {
    // A title stands in the call, or on the line after it.
    const titles = readFileSync(file, 'utf8').matchAll(
      /\b(?:it|test)(?:\.each\([\s\S]*?\))?\(\s*['"`]§4\.2 item (\d+):/g,
    );
    for (const [, number] of titles) named.add(Number(number));
  }
  expect(ITEMS.filter((item) => !named.has(item) && !notYet.includes(item))).toEqual([]);
});

it('for every item the traffic of others is watched meanwhile', () => {
  const watched = new Set<number>();
  for (const file of filesBelow(join(root, 'test/security'))) {
    // From one title to the next; repeatedly() of slots.test.ts is unharmed() too.
    const [, ...tests] = readFileSync(file, 'utf8').split(/(?=§4\.2 item \d+:)/);
    for (const test of tests) {
      if (/\b(?:unharmed|repeatedly|sendsMeanwhile)\(/.test(test)) watched.add(Number(/item (\d+):/.exec(test)![1]));
    }
  }
  expect(ITEMS.filter((item) => !watched.has(item) && !notYet.includes(item))).toEqual([]);
});

it('the table has every item, and the files that it names are there', () => {
  const rows = readFileSync(join(root, 'docs/security.md'), 'utf8').matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm);
  const items: number[] = [];
  for (const [, item, paths] of rows) {
    items.push(Number(item));
    for (const [, path] of paths!.matchAll(/`([^`]+)`/g)) {
      expect(existsSync(join(root, path!)), path).toBe(true);
    }
  }
  expect(items).toEqual(ITEMS);
});
