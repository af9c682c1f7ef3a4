import { beforeEach, describe, expect, it } from 'vitest';
import { AttachError, DatapathClosed, type PortNo } from '../../../src/datapath/datapath.js';
import { NativeDatapathAdapter } from '../../../src/datapath/native.js';
import type { NativeDatapath, NativeRuntime } from '../../../src/datapath/native-addon.js';

const calls: unknown[][] = [];
let adapter: NativeDatapathAdapter;
const native: NativeDatapath = {
  portAttach: (port, spec, settings) => {
    calls.push(['portAttach', port, spec, settings]);
    if (port === 9) throw new Error('no such device: eth9');
  },
  portConfigure: (port, settings) => {
    calls.push(['portConfigure', port, settings]);
    if (port === 9) throw new Error('tag: expected 1 to 4094');
  },
  portDetach: (port) => void calls.push(['portDetach', port]),
  apply: (batch, atomic) => {
    calls.push(['apply', batch.length, atomic]);
    return Uint8Array.of(0);
  },
  packetOut: () => 3,
  trace: (request) => ({ status: 7, steps: Uint8Array.of(request.length) }),
  read: (_, limit) => ({ data: Uint8Array.of(limit & 0xff), next: undefined }),
  tick: () => void calls.push(['tick']),
  onUpcall: () => void calls.push(['onUpcall']),
  close: () => void calls.push(['close']),
};

beforeEach(() => {
  calls.length = 0;
  adapter = new NativeDatapathAdapter({ openDatapath: () => native } as unknown as NativeRuntime);
});

describe('the native adapter', () => {
  it('passes verbs on', () => {
    adapter.portAttach(1 as PortNo, { kind: 'null' });
    adapter.portConfigure(1 as PortNo, { completeChecksums: true });
    adapter.portDetach(1 as PortNo);
    expect([...adapter.apply(new Uint8Array(8), { atomic: true })]).toEqual([0]);
    adapter.apply(new Uint8Array(16));
    expect(adapter.packetOut(new Uint8Array(16))).toBe(3);
    expect(adapter.trace(new Uint8Array(5))).toEqual({ status: 7, steps: Uint8Array.of(5) });
    expect(adapter.read(new Uint8Array(40), 7).data).toEqual(Uint8Array.of(7));
    adapter.tick();
    adapter.onUpcall(() => {});
    expect(calls).toEqual([
      ['portAttach', 1, { kind: 'null' }, {}],
      ['portConfigure', 1, { completeChecksums: true }],
      ['portDetach', 1],
      ['apply', 8, true],
      ['apply', 16, false],
      ['tick'],
      ['onUpcall'],
    ]);
  });
  it('what configure fails with is an AttachError too', () => {
    expect(() => adapter.portConfigure(9 as PortNo, {})).toThrow(AttachError);
  });
  it('what attach fails with is an AttachError with the same sentence', () => {
    expect(() => adapter.portAttach(9 as PortNo, { kind: 'packet', device: 'eth9' })).toThrow(AttachError);
    expect(() => adapter.portAttach(9 as PortNo, { kind: 'packet', device: 'eth9' })).toThrow('no such device: eth9');
  });
  it('after close every verb throws, and close may be called again', () => {
    adapter.close();
    adapter.close();
    expect(calls).toEqual([['close']]);
    const verbs = [
      () => adapter.portAttach(1 as PortNo, { kind: 'null' }),
      () => adapter.portDetach(1 as PortNo),
      () => adapter.apply(new Uint8Array(0)),
      () => adapter.packetOut(new Uint8Array(0)),
      () => adapter.trace(new Uint8Array(0)),
      () => adapter.read(new Uint8Array(0)),
      () => adapter.tick(),
      () => adapter.onUpcall(() => {}),
    ];
    for (const verb of verbs) expect(verb).toThrow(DatapathClosed);
  });
});
