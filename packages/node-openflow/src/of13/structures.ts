/** Ports and buckets: structures inside several messages (OpenFlow 1.3.5 §7.2.1, §7.3.4.2). */
import { decodeActions, encodeActions } from '../codec/lists.js';
import type { Context } from '../codec/protocol.js';
import type { Bucket, PortDesc } from '../types/structures.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import { OFPET, OFPGMFC } from './errors.js';

export const macLength = 6;
const portNameLength = 16;

export function decodePort(r: WireReader): PortDesc {
  const portNo = r.u32();
  r.skip(4);
  const hwAddr = r.bytes(macLength);
  r.skip(2);
  return {
    portNo,
    hwAddr,
    name: r.text(portNameLength),
    config: r.u32(),
    state: r.u32(),
    curr: r.u32(),
    advertised: r.u32(),
    supported: r.u32(),
    peer: r.u32(),
    currSpeed: r.u32(),
    maxSpeed: r.u32(),
  };
}

export function encodePort(w: WireWriter, port: PortDesc): void {
  w.u32(port.portNo);
  w.zero(4);
  w.exactly(port.hwAddr, macLength);
  w.zero(2);
  w.text(port.name, portNameLength);
  w.u32(port.config);
  w.u32(port.state);
  w.u32(port.curr);
  w.u32(port.advertised);
  w.u32(port.supported);
  w.u32(port.peer);
  w.u32(port.currSpeed);
  w.u32(port.maxSpeed);
}

/** Buckets until the reader's end; anything wrong with one is BAD_BUCKET, with its actions BAD_ACTION. */
export function decodeBuckets(r: WireReader, ctx: Context): readonly Bucket[] {
  const buckets: Bucket[] = [];
  while (r.remaining > 0) {
    const bucket = r.sized(0, OFPET.GROUP_MOD_FAILED, OFPGMFC.BAD_BUCKET);
    bucket.skip(2);
    const weight = bucket.u16();
    const watchPort = bucket.u32();
    const watchGroup = bucket.u32();
    bucket.skip(4);
    buckets.push({ weight, watchPort, watchGroup, actions: decodeActions(bucket, ctx) });
  }
  return buckets;
}

export function encodeBuckets(w: WireWriter, buckets: readonly Bucket[], ctx: Context): void {
  for (const bucket of buckets) {
    const start = w.mark();
    w.u16(0);
    w.u16(bucket.weight);
    w.u32(bucket.watchPort);
    w.u32(bucket.watchGroup);
    w.zero(4);
    encodeActions(w, bucket.actions, ctx);
    w.patchLength(start, 0);
  }
}
