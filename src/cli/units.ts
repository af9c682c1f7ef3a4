/** Numbers and names as the CLI prints them. */

const SCALES = [
  { limit: 1e9, suffix: 'G' },
  { limit: 1e6, suffix: 'M' },
  { limit: 1e3, suffix: 'k' },
] as const;

/** Three significant digits with a decimal prefix: 950, 1.23k, 45.6M. */
export function formatScaled(value: number): string {
  const scale = SCALES.find(({ limit }) => Math.abs(value) >= limit);
  if (scale === undefined) return value >= 10 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
  const scaled = value / scale.limit;
  return `${scaled.toFixed(scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2)}${scale.suffix}`;
}

export function formatRate(perSecond: number, unit: 'pps' | 'bps'): string {
  return `${formatScaled(perSecond)} ${unit}`;
}

/** 3725000 → "1h 2m 5s"; below a minute with tenths. */
export function formatDuration(ms: bigint): string {
  const seconds = ms / 1000n;
  if (seconds < 60n) return `${Number(ms / 100n) / 10}s`;
  const parts: (readonly [bigint, string])[] = [
    [seconds / 86_400n, 'd'],
    [(seconds / 3600n) % 24n, 'h'],
    [(seconds / 60n) % 60n, 'm'],
    [seconds % 60n, 's'],
  ];
  return parts
    .slice(parts.findIndex(([value]) => value > 0n))
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ');
}

/** 16 hexadecimal digits, as ovs-vsctl shows them. */
export function formatDatapathId(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}

/** OpenFlow wire version → its name. */
export function formatVersion(version: number): string {
  return version === 0 ? '-' : version >= 1 && version <= 6 ? `OpenFlow 1.${version - 1}` : `version ${version}`;
}

export const LOCAL_PORT = 0xfffffffe;

export function formatPortNumber(number: number): string {
  return number === LOCAL_PORT ? 'LOCAL' : String(number);
}

/** JSON with exact 64-bit integers: a bigint above 2⁵³ is written as a string, any other as a number. */
export function formatJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, field: unknown) =>
      typeof field !== 'bigint' ? field : field <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(field) : String(field),
    2,
  );
}
