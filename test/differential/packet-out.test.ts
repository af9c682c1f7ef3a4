import { expect, it, vi } from 'vitest';
import type { PortNo } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon } from '../../src/datapath/native-addon.js';
import { encodeActions, forEachUpcall, RecordWriter, writePacketOut } from '../../src/datapath/records.js';
import { ReservedPort, Status } from '../../src/datapath/schema.gen.js';

it.each([
  [0, Status.malformed],
  [13, Status.malformed],
  [14, Status.ok],
  [65_535, Status.ok],
  [65_536, Status.malformed],
])('packet-out of %i bytes: model and native answer status %i', (bytes, status) => {
  const runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  try {
    for (const datapath of [new ModelDatapath(), new NativeDatapathAdapter(runtime)]) {
      datapath.portAttach(1 as PortNo, { kind: 'null' });
      const writer = new RecordWriter(128 * 1024);
      const actions = encodeActions([{ kind: 'output', port: 1, maxLen: 0 }]);
      writePacketOut(writer, { inPort: ReservedPort.controller, actions, frame: new Uint8Array(bytes) });
      expect(datapath.packetOut(writer.take())).toBe(status);
    }
  } finally {
    runtime.close();
  }
});

it.each([
  ['flood', ReservedPort.flood],
  ['all', ReservedPort.all],
])('output to %s leaves out the in_port that was written', async (_, port) => {
  const runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  try {
    for (const datapath of [new ModelDatapath(), new NativeDatapathAdapter(runtime)]) {
      const left: number[] = [];
      datapath.onUpcall((records) =>
        forEachUpcall(records, (record) => {
          if (record.kind === 'port_output') left.push(record.port);
        }),
      );
      for (const number of [1, 2, 3]) datapath.portAttach(number as PortNo, { kind: 'capture' });
      const writer = new RecordWriter(1024);
      const actions = encodeActions([
        { kind: 'load', to: { field: 0, offset: 0, bits: 32 }, value: 2n },
        { kind: 'output', port, maxLen: 0 },
      ]);
      writePacketOut(writer, { inPort: 1, actions, frame: new Uint8Array(60) });
      expect(datapath.packetOut(writer.take())).toBe(Status.ok);
      await vi.waitFor(() => expect(left.sort()).toEqual([1, 3]));
    }
  } finally {
    runtime.close();
  }
});
