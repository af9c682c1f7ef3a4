/** JSON, which is YAML too, read by the engine's own parser: many times faster, without places. */
import { NESTING_MAX } from './limits.js';

/** Counts what the parser says nothing of; false: it is to be read as YAML. */
class Census {
  keys = 0;

  /** Whether it is what reading it as YAML would make of it. */
  take(value: unknown, depth: number): boolean {
    if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
    if (typeof value !== 'object' || value === null) return true;
    if (depth >= NESTING_MAX) return false;
    if (Array.isArray(value)) return value.every((each) => this.take(each, depth + 1));
    const entries = Object.entries(value);
    this.keys += entries.length;
    return entries.every(([key, each]) => key !== '__proto__' && this.take(each, depth + 1));
  }
}

function keysIn(text: string): number {
  const strings = /"(?:[^"\\]|\\.)*"\s*(:?)/g;
  let count = 0;
  for (let found = strings.exec(text); found !== null; found = strings.exec(text)) if (found[1] !== '') count++;
  return count;
}

/** A map; undefined: it is none in JSON, or one of which the places matter, as keys that are there twice. */
export function readJson(text: string): Record<string, unknown> | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const census = new Census();
  return census.take(value, 0) && census.keys === keysIn(text) ? value : undefined;
}
