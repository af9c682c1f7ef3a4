/**
 * Reads a decimal number the strict way: digits only, no sign, no blanks, no superfluous zero, within min..max.
 * Returns undefined for everything else. For text that a peer wrote.
 */
export function parseDecimal(text: string, min: number, max: number): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** Longest piece of a peer's text that appears in a message of ours, in characters. */
const QUOTED_LENGTH_MAX = 40;

/** Text of a peer made fit for a message: quoted, control characters escaped, cut short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}…` : text);
}
