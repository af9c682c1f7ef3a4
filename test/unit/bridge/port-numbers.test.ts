import { describe, expect, it } from 'vitest';
import { PortNumbers } from '../../../src/bridge/port-numbers.js';

describe('port numbers', () => {
  it('a name that comes back gets its number back, and nobody else does', () => {
    const numbers = new PortNumbers();
    expect(numbers.acquire('a')).toBe(1);
    expect(numbers.acquire('b')).toBe(2);
    numbers.release('a');
    expect(numbers.acquire('c')).toBe(3);
    expect(numbers.acquire('a')).toBe(1);
  });

  it('a name in use is refused', () => {
    const numbers = new PortNumbers();
    numbers.acquire('a');
    expect(() => numbers.acquire('a')).toThrow('a port "a" exists already');
  });

  it('when numbers run out, the name longest away loses its number', () => {
    const numbers = new PortNumbers(3);
    for (const name of ['a', 'b', 'c']) numbers.acquire(name);
    expect(() => numbers.acquire('d')).toThrow('all 3 port numbers are in use');
    numbers.release('b');
    numbers.release('a');
    expect(numbers.acquire('d')).toBe(2);
    expect(numbers.acquire('b')).toBe(1);
  });

  it('releasing an unknown name does nothing', () => {
    const numbers = new PortNumbers(1);
    numbers.release('x');
    numbers.acquire('a');
    expect(() => numbers.acquire('b')).toThrow('in use');
  });
});
