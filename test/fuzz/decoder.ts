/**
 * One message, of any version: decoding never throws, what it refuses can be answered, and what it takes can be written,
 * and is written the same from the second time on.
 */
import assert from 'node:assert/strict';
import { decodeMessage, encodeMessage, errorReply } from 'node-openflow';
import { mutateMessage } from './mutate.js';
import type { Target } from './target.js';

function rewritten(bytes: Uint8Array, unknown: 'refuse' | 'keep'): Uint8Array | undefined {
  const result = decodeMessage(bytes, { unknown });
  if (result.ok) return encodeMessage(result.message);
  encodeMessage(errorReply(result.error));
  return undefined;
}

export function decoderTarget(): Target {
  return {
    name: 'openflow-decoder',
    mutate: mutateMessage,
    run(input) {
      for (const unknown of ['refuse', 'keep'] as const) {
        const first = rewritten(input, unknown);
        if (first === undefined) continue;
        // What has no meaning is put right by the first writing.
        const second = rewritten(first, unknown);
        assert.ok(second !== undefined, 'what was written is not read');
        assert.deepEqual(rewritten(second, unknown), second);
      }
    },
    close: async () => {},
  };
}
