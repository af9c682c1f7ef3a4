/** The kept inputs of the fuzz targets, which found something once or run code that no other runs. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelTarget } from '../../fuzz/channel.js';
import { keptFile, lineOf, readInputs } from '../../fuzz/corpus.js';
import { decoderTarget } from '../../fuzz/decoder.js';
import { Random } from '../../fuzz/random.js';
import type { Target } from '../../fuzz/target.js';

const rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);
beforeEach(() => process.on('unhandledRejection', note));
afterEach(() => process.off('unhandledRejection', note));

/** Inputs of one test, so that none takes long. */
const SLICE = 32;
/** One in so many is also tried with a change. */
const CHANGED = 8;

async function replay(open: () => Target | Promise<Target>, inputs: readonly Uint8Array[]): Promise<void> {
  const target = await open();
  const random = new Random(1);
  const changed = inputs.filter((_, i) => i % CHANGED === 0).map((input) => target.mutate(input, inputs[0]!, random));
  try {
    for (const input of [...inputs, ...changed]) {
      try {
        await target.run(input);
      } catch (error) {
        throw new Error(`input ${lineOf(input)}`, { cause: error });
      }
    }
  } finally {
    await target.close();
  }
}

describe.each([
  ['openflow-decoder', decoderTarget],
  ['openflow-channel', channelTarget],
] as const)('the corpus of %s', (name, open) => {
  const inputs = readInputs(keptFile(name));
  const slices = Array.from({ length: Math.ceil(inputs.length / SLICE) }, (_, i) =>
    inputs.slice(i * SLICE, (i + 1) * SLICE),
  );

  it('is there', () => expect(inputs.length).toBeGreaterThan(100));
  it.each(slices.map((slice, i) => [i * SLICE, slice] as const))(
    'finds nothing, from input %i on',
    async (_, slice) => {
      await replay(open, slice);
      expect(rejections).toEqual([]);
    },
  );
});
