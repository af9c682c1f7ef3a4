/** Open vSwitch's extensions as ovs-ofctl writes them: read into values, none left as bytes, and written alike again. */
import { describe, expect, it } from 'vitest';
import { encodeMessage, type Message } from '../../src/index.js';
import { actionFlows, matchFlows } from '../support/flow-corpus.js';
import { ovsFlows } from '../support/ovs.js';
import { decoded, toHex } from '../support/wire.js';

/** What is still bytes in a value, by its type or field. */
function opaque(value: unknown): string[] {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return [];
  const { type, field } = value as { type?: string; field?: string };
  const own = [type, field].filter((name) => name === 'experimenter' || name === 'raw' || name === 'unknown');
  return [...(own as string[]), ...Object.values(value).flatMap(opaque)];
}

function readsAndWrites(message: Message, bytes: Uint8Array): void {
  expect(opaque(message)).toEqual([]);
  expect(toHex(encodeMessage(message))).toBe(toHex(bytes));
}

describe.each(['OpenFlow13'])('%s', (version) => {
  const actions = ovsFlows(actionFlows, version);
  it.each(actionFlows.map((flow, i) => [flow, i] as const))('%s', (_, i) => {
    readsAndWrites(decoded(actions[i]!.bytes), actions[i]!.bytes);
  });
  const matches = ovsFlows(
    matchFlows.map((match) => `${match} actions=drop`),
    version,
  );
  it.each(matchFlows.map((flow, i) => [flow, i] as const))('match %s', (_, i) => {
    readsAndWrites(decoded(matches[i]!.bytes), matches[i]!.bytes);
  });
});
