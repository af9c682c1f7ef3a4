/**
 * Properties of requests, byte for byte (OpenFlow 1.4.1 §7.5.4.14): each type once, none of experimenters, and none that is
 * of other ports; and the pipeline fields of a packet-out (1.5.1 §7.3.6).
 */
import { describe, expect, it } from 'vitest';
import { Controller, is, start } from './bed.js';
import { errorOf } from './client.js';
import * as b from './errors/bytes.js';

const [OF13, OF14, OF15] = [4, 5, 6];
const TIMEOUT_MS = 15_000;

/** The error that answers these bytes; undefined: there is none. */
async function answer(version: number, bytes: Uint8Array): Promise<string | undefined> {
  const bed = await start({ versions: [version] });
  const controller = await Controller.open(bed.address);
  controller.write(b.message(version, 0));
  await controller.next(is('hello'));
  controller.write(bytes);
  controller.write(b.message(version, 20, [], 1));
  await controller.next(is('barrier_reply'), TIMEOUT_MS);
  const [error] = controller.messages.filter(is('error'));
  return error === undefined ? undefined : errorOf(error);
}

const [OPEN, OPTICAL, WEIGHT, TIME] = [0, 1, 0, 1];
const portMod = (v: number, ...properties: readonly b.Bytes[]) =>
  b.message(v, 16, [
    ...[...b.u32(1), ...b.zeros(4), 2, 0, 0, 0, 0, 1, ...b.zeros(2), ...b.zeros(8)],
    ...properties.flat(),
  ]);
const ethernet = b.property(0, b.u32(0));
const optical = b.property(OPTICAL, b.zeros(20));
function bucketWith(...properties: readonly b.Bytes[]): Uint8Array {
  const rest = properties.flat();
  const bucket = [...b.u16(8 + rest.length), ...b.u16(0), ...b.u32(0), ...rest];
  return b.groupMod(OF15, { type: 1, buckets: [bucket] });
}
const weight = b.property(WEIGHT, [...b.u16(2), ...b.zeros(2)]);
const time = b.property(TIME, b.zeros(20));
const open = (v: number, ...properties: readonly b.Bytes[]) =>
  b.bundleControl(v, OPEN, { properties: properties.flat() });
const add = (v: number, ...properties: readonly b.Bytes[]) =>
  b.bundleAdd(v, Uint8Array.of(...b.flowMod(v), ...properties.flat()));
const setAsync = (v: number, ...properties: readonly b.Bytes[]) => b.message(v, 28, properties.flat());
const mask = b.property(1, b.u32(1));

describe('a property', () => {
  it.each<[string, readonly number[], (version: number) => Uint8Array]>([
    ['a port_mod', [OF14, OF15], (v) => portMod(v, ethernet, ethernet)],
    ['a bucket', [OF15], () => bucketWith(weight, weight)],
    ['a bundle control', [OF15], (v) => open(v, time, time)],
    ['a message for a bundle', [OF15], (v) => add(v, time, time)],
    ['a set_async', [OF14, OF15], (v) => setAsync(v, mask, mask)],
  ])('is refused twice in %s', async (_, versions, bytes) => {
    for (const version of versions) expect(await answer(version, bytes(version))).toBe('OFPBPC_DUP_TYPE');
  });

  it.each<[string, readonly number[], (version: number) => Uint8Array]>([
    ['a port_mod', [OF14, OF15], (v) => portMod(v, ethernet, b.vendorProperty)],
    ['a bucket', [OF15], () => bucketWith(weight, b.vendorProperty)],
    ['a bundle control', [OF14, OF15], (v) => open(v, b.vendorProperty)],
    ['a message for a bundle', [OF14, OF15], (v) => add(v, b.vendorProperty)],
  ])('of an experimenter is refused in %s', async (_, versions, bytes) => {
    for (const version of versions) expect(await answer(version, bytes(version))).toBe('OFPBPC_BAD_EXPERIMENTER');
  });

  it('of an experimenter is refused in a bundle of 1.3, whose errors of properties are those of ONF', async () => {
    expect(await answer(OF13, open(OF13, b.vendorProperty))).toBe('experimenter 4445');
  });

  it('of optical ports is refused where there are none', async () => {
    for (const version of [OF14, OF15])
      expect(await answer(version, portMod(version, optical))).toBe('OFPBPC_BAD_TYPE');
  });

  it('once, or none, is taken', async () => {
    for (const version of [OF14, OF15]) {
      expect(await answer(version, portMod(version))).toBeUndefined();
      expect(await answer(version, portMod(version, ethernet))).toBeUndefined();
      expect(await answer(version, setAsync(version, mask))).toBeUndefined();
    }
    expect(await answer(OF15, bucketWith(weight))).toBeUndefined();
    expect(await answer(OF15, open(OF15, time))).toBeUndefined();
  });
});

describe('a pipeline field of a packet-out', () => {
  const out = (...fields: readonly b.Bytes[]) =>
    b.packetOut(OF15, { match: b.oxmMatch(b.oxm(0, b.u32(b.CONTROLLER)), ...fields) });
  const [IN_PHY_PORT, ACTSET_OUTPUT, PACKET_TYPE, UNSET] = [1, 43, 44, 0xfffffff7];

  it.each([
    ['the packet type of Ethernet', PACKET_TYPE, 0, undefined],
    ['another packet type', PACKET_TYPE, (1 << 16) | 0x0800, 'OFPBMC_BAD_VALUE'],
    ['an empty action set', ACTSET_OUTPUT, UNSET, undefined],
    ['an action set with an output', ACTSET_OUTPUT, 2, 'OFPBMC_BAD_VALUE'],
    ['the port itself as the physical one', IN_PHY_PORT, b.CONTROLLER, undefined],
    ['another physical port', IN_PHY_PORT, 2, 'OFPBMC_BAD_VALUE'],
  ])('may say %s: field %i, value %i', async (_, field, value, error) => {
    expect(await answer(OF15, out(b.oxm(field, b.u32(value))))).toBe(error);
  });
});
