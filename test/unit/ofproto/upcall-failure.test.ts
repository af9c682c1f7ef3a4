import { expect, it } from 'vitest';
import type { Datapath } from '../../../src/datapath/datapath.js';
import { RecordWriter, writeUpcall } from '../../../src/datapath/records.js';
import { PacketInReason } from '../../../src/datapath/schema.gen.js';
import { Ofproto } from '../../../src/ofproto/index.js';

/** A datapath that only hands up what it is told to. */
function upcallsOnly(): { datapath: Datapath; upcall: (records: Uint8Array) => void } {
  let listener: (records: Uint8Array) => void = () => {};
  const datapath: Datapath = {
    portAttach() {},
    portConfigure() {},
    portDetach() {},
    apply: () => new Uint8Array(0),
    packetOut: () => 0,
    read: () => ({ data: new Uint8Array(0), next: undefined }),
    tick() {},
    onUpcall: (given) => {
      listener = given;
    },
    close() {},
  };
  return { datapath, upcall: (records) => listener(records) };
}

it('a failure over one upcall record is told, and the next records are handled', () => {
  const { datapath, upcall } = upcallsOnly();
  const failures: unknown[] = [];
  const seen: number[] = [];
  const description = { manufacturer: '', hardware: '', software: '', serial: '', datapath: '' };
  const ofproto = new Ofproto({
    datapath,
    datapathId: 1n,
    description,
    onUpcallFailure: (error) => failures.push(error),
  });
  ofproto.onAsync((message) => {
    if (message.type !== 'packet_in') return;
    seen.push(message.totalLen);
    if (seen.length === 1) throw new Error('a bug');
  });
  const writer = new RecordWriter(1024);
  for (const size of [60, 61]) {
    writeUpcall(writer, {
      kind: 'packet_in',
      reason: PacketInReason.action,
      table: 0,
      cookie: 0n,
      inPort: 1,
      maxLen: 0xffff,
      controllerId: 0,
      userdata: new Uint8Array(0),
      registers: new Map(),
      frameTotal: size,
      metadata: 0n,
      tunnelId: 0n,
      inPhyPort: 1,
      packetType: 0,
      frame: new Uint8Array(size),
    });
  }
  upcall(writer.take());
  expect(seen).toEqual([60, 61]);
  expect(failures).toEqual([new Error('a bug')]);
});
