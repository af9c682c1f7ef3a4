import { describe, expect, it } from 'vitest';
import {
  formatDatapathId,
  formatDuration,
  formatJson,
  formatPortNumber,
  formatScaled,
  formatVersion,
} from '../../../src/cli/units.js';

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [0.5, '0.5'],
    [9, '9'],
    [12.4, '12'],
    [999, '999'],
    [1000, '1.00k'],
    [45_600_000, '45.6M'],
    [123_000_000_000, '123G'],
  ])('%d → %s', (value, text) => expect(formatScaled(value)).toBe(text));

  it.each([
    [0n, '0s'],
    [1234n, '1.2s'],
    [59_999n, '59.9s'],
    [60_000n, '1m 0s'],
    [3_725_000n, '1h 2m 5s'],
    [90_000_000n, '1d 1h 0m 0s'],
  ])('%d ms → %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('datapath ids have 16 digits', () => expect(formatDatapathId(0x1234n)).toBe('0000000000001234'));
  it('LOCAL has a name', () => expect([1, 0xfffffffe].map(formatPortNumber)).toEqual(['1', 'LOCAL']));
  it('wire versions', () => expect([0, 4, 9].map(formatVersion)).toEqual(['-', 'OpenFlow 1.3', 'version 9']));
});

describe('JSON', () => {
  it('keeps 64-bit integers exact', () => {
    const text = formatJson({ small: 7n, large: 0xffff_ffff_ffff_ffffn, plain: 1.5 });
    expect(JSON.parse(text)).toEqual({ small: 7, large: '18446744073709551615', plain: 1.5 });
  });
});
