import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { decimal, duration, ipv4WithPrefix, macAddress } from '../../../src/cli/arguments.js';

describe('arguments', () => {
  it('takes what is right', () => {
    expect(decimal(1, 8)('8')).toBe(8);
    expect(['0.25', '30s', '2m', '1.5h', '500ms', '0'].map(duration)).toEqual([
      250, 30_000, 120_000, 5_400_000, 500, 0,
    ]);
    expect(macAddress('00:16:3E:00:00:0a')).toBe('00:16:3e:00:00:0a');
    expect(ipv4WithPrefix('10.0.0.1/24')).toBe('10.0.0.1/24');
  });

  it.each([
    [decimal(1, 8), '9'],
    [decimal(1, 8), '0x1'],
    [decimal(1, 8), ''],
    [duration, '-1'],
    [duration, '1 s'],
    [duration, '1d'],
    [duration, 's'],
    [duration, '278h'],
    [macAddress, '00:16:3e:00:00'],
    [macAddress, '01:00:5e:00:00:01'],
    [ipv4WithPrefix, '10.0.0.1'],
    [ipv4WithPrefix, '10.0.0.256/24'],
    [ipv4WithPrefix, '10.0.0.1/33'],
  ])('%o refuses %j', (parse, text) => expect(() => parse(text)).toThrow(InvalidArgumentError));
});
