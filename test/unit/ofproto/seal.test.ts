import { describe, expect, it } from 'vitest';
import { Seal } from '../../../src/ofproto/seal.js';

describe('a seal', () => {
  const seal = new Seal();
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => i);

  it('opens what it closed', () => {
    expect(seal.open(seal.close(bytes))).toEqual(Buffer.from(bytes));
    expect(seal.open(seal.close(new Uint8Array(0)))).toHaveLength(0);
  });

  it('opens nothing else', () => {
    const closed = seal.close(bytes);
    for (let at = 0; at < closed.length; at++) {
      const changed = closed.slice();
      changed[at]! ^= 1;
      expect(seal.open(changed), `byte ${at}`).toBeUndefined();
      expect(seal.open(closed.subarray(0, at)), `cut at ${at}`).toBeUndefined();
    }
    expect(new Seal().open(closed)).toBeUndefined();
  });
});
