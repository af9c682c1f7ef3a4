import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { decimal, ipv4WithPrefix, macAddress, seconds } from '../../../src/cli/arguments.js';

describe('arguments', () => {
  it('takes what is right', () => {
    expect(decimal(1, 8)('8')).toBe(8);
    expect(seconds('0.25')).toBe(250);
    expect(macAddress('00:16:3E:00:00:0a')).toBe('00:16:3e:00:00:0a');
    expect(ipv4WithPrefix('10.0.0.1/24')).toBe('10.0.0.1/24');
  });

  it.each([
    [decimal(1, 8), '9'],
    [decimal(1, 8), '0x1'],
    [decimal(1, 8), ''],
    [seconds, '-1'],
    [seconds, '1s'],
    [macAddress, '00:16:3e:00:00'],
    [macAddress, '01:00:5e:00:00:01'],
    [ipv4WithPrefix, '10.0.0.1'],
    [ipv4WithPrefix, '10.0.0.256/24'],
    [ipv4WithPrefix, '10.0.0.1/33'],
  ])('%o refuses %j', (parse, text) => expect(() => parse(text)).toThrow(InvalidArgumentError));
});
