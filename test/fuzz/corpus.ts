/** The inputs that are kept: a line of hex each. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** In the sources, from the compiled code as from the sources. */
export function keptFile(target: string): string {
  const root = import.meta.url.includes('/dist/') ? '../../..' : '../..';
  return fileURLToPath(new URL(`${root}/test/fuzz/corpus/${target}.hex`, import.meta.url));
}

export function readInputs(file: string): Uint8Array[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'latin1').split('\n');
  return lines.filter((line) => line !== '').map((line) => new Uint8Array(Buffer.from(line, 'hex')));
}

export const lineOf = (input: Uint8Array): string => `${Buffer.from(input).toString('hex')}\n`;

export function addInput(file: string, input: Uint8Array): void {
  appendFileSync(file, lineOf(input));
}

export function writeInputs(file: string, inputs: readonly Uint8Array[]): void {
  writeFileSync(file, inputs.map(lineOf).join(''));
}
