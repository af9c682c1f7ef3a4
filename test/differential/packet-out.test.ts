import { expect, it } from 'vitest';
import type { PortNo } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon } from '../../src/datapath/native-addon.js';
import { encodeActions, RecordWriter, writePacketOut } from '../../src/datapath/records.js';
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
