/** Large TCP frames between guests: whole where the receiver can take them, segmented with right checksums where not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PortNo } from '../../src/datapath/datapath.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeFrontend, type NativeRuntime } from '../../src/datapath/native-addon.js';
import { encodeInstructions, encodeMatch, GROUP_ANY, RecordWriter, writeFlowMod } from '../../src/datapath/records.js';
import { FlowCommand, ReservedPort } from '../../src/datapath/schema.gen.js';
import { readTcp, tcpFrame } from '../lab/frames.js';
import { eventually } from '../lab/process.js';

interface Features {
  readonly sg: boolean;
  readonly gso: boolean;
  readonly csum: boolean;
}
const full: Features = { sg: true, gso: true, csum: true };

let runtime: NativeRuntime;
let datapath: NativeDatapathAdapter;

beforeEach(() => {
  runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  datapath = new NativeDatapathAdapter(runtime);
  const batch = new RecordWriter(1024);
  for (const [from, to] of [
    [1, 2],
    [2, 1],
  ] as const) {
    writeFlowMod(batch, {
      op: 'flow_mod',
      command: FlowCommand.add,
      table: 0,
      cookie: 0n,
      cookieMask: 0n,
      priority: 1,
      flags: 0,
      idle: 0,
      hard: 0,
      outPort: ReservedPort.any,
      outGroup: GROUP_ANY,
      importance: 0,
      match: encodeMatch([{ field: 0, value: BigInt(from), mask: undefined }]),
      instructions: encodeInstructions([{ kind: 'apply', actions: [{ kind: 'output', port: to, maxLen: 0 }] }]),
    });
  }
  expect([...datapath.apply(batch.take())]).toEqual([0, 0]);
});

afterEach(() => runtime.close());

function guest(n: number, features: Features): NativeFrontend {
  runtime.emulated.createDomain(n);
  const frontend = runtime.emulated.createFrontend(n, {
    mac: `00:16:3e:00:00:0${n}`,
    mtu: 1500,
    queues: 1,
    splitEventChannels: true,
    sg: features.sg,
    gsoTcpv4: features.gso,
    gsoTcpv6: features.gso,
    csumOffload: features.csum,
    stack: { kind: 'builtin', ipv4: `192.0.2.${n}` },
  });
  datapath.portAttach(n as PortNo, {
    kind: 'vif',
    domid: n,
    handle: 0,
    queues: frontend.queues,
    sg: features.sg,
    gsoTcpv4: features.gso,
    gsoTcpv6: features.gso,
    csumBlankIpv4: features.csum,
    csumBlankIpv6: features.csum,
    rxNotify: true,
  });
  frontend.connect();
  frontend.takeFrames();
  return frontend;
}

/** The TCP frames that arrived, once `bytes` of payload did. */
async function received(frontend: NativeFrontend, bytes: number) {
  const frames: ReturnType<NativeFrontend['takeFrames']> = [];
  await eventually(
    `${bytes} bytes arrive`,
    async () => {
      frames.push(...frontend.takeFrames().filter(({ frame }) => frame.length > 60));
      return frames.reduce((sum, { frame }) => sum + readTcp(frame).payload.length, 0) >= bytes;
    },
    5000,
  );
  return frames;
}

const payload = Buffer.from(Array.from({ length: 65_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

describe.each([4, 6] as const)('a 64 KiB TSO frame over IPv%i', (family) => {
  const headers = family === 4 ? 54 : 74;
  const frame = tcpFrame({
    family,
    destinationMac: '00:16:3e:00:00:02',
    sourceMac: '00:16:3e:00:00:01',
    payload,
    blank: true,
    flags: 0x19,
  });
  const options = { csumBlank: true, gsoSize: 1448, gsoType: family === 4 ? 1 : 2 } as const;

  it('crosses unsegmented between guests with sg and gso', async () => {
    const [sender, receiver] = [guest(1, full), guest(2, full)];
    expect(sender.sendFrame(frame, options)).toBe(true);
    const frames = await received(receiver, payload.length);
    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatchObject({ csumBlank: true, gsoSize: 1448, gsoType: options.gsoType });
    expect(Buffer.from(frames[0]!.frame).equals(frame)).toBe(true);
    expect(readTcp(frames[0]!.frame).tcpChecksumBlank).toBe(true);
  });

  it.each([
    ['without sg', { sg: false, gso: false, csum: true }],
    ['without gso', { sg: true, gso: false, csum: true }],
    ['without anything', { sg: false, gso: false, csum: false }],
  ] as const)('arrives segmented with right checksums at a guest %s', async (_, features) => {
    const [sender, receiver] = [guest(1, full), guest(2, features)];
    expect(sender.sendFrame(frame, options)).toBe(true);
    const frames = await received(receiver, payload.length);
    expect(frames).toHaveLength(Math.ceil(payload.length / 1448));
    const segments = frames.map(({ frame: bytes }) => readTcp(bytes));
    expect(Buffer.concat(segments.map((segment) => segment.payload)).equals(payload)).toBe(true);
    for (const [index, segment] of segments.entries()) {
      const last = index === segments.length - 1;
      expect(segment.ipChecksumRight).toBe(true);
      // A blank checksum is right towards a guest that takes it, and then says so.
      if (frames[index]!.csumBlank) expect(features.csum && segment.tcpChecksumBlank).toBe(true);
      else expect(segment.tcpChecksumRight).toBe(true);
      expect(segment.sequence).toBe(1 + index * 1448);
      expect(segment.flags).toBe(last ? 0x19 : 0x10);
      expect(frames[index]!.frame.length).toBeLessThanOrEqual(headers + 1448);
      expect(frames[index]!.gsoSize).toBe(0);
      if (!features.sg) expect(frames[index]!.slots).toBe(1);
    }
  });
});

describe('checksum left blank by the sender', () => {
  const small = tcpFrame({
    family: 4,
    destinationMac: '00:16:3e:00:00:02',
    sourceMac: '00:16:3e:00:00:01',
    payload: payload.subarray(0, 100),
    blank: true,
  });

  it('stays blank towards a guest that takes it', async () => {
    const [sender, receiver] = [guest(1, full), guest(2, full)];
    sender.sendFrame(small, { csumBlank: true });
    const [frame] = await received(receiver, 100);
    expect(frame!.csumBlank).toBe(true);
    expect(readTcp(frame!.frame).tcpChecksumBlank).toBe(true);
  });

  it('is completed towards a guest that does not', async () => {
    const [sender, receiver] = [guest(1, full), guest(2, { sg: true, gso: false, csum: false })];
    sender.sendFrame(small, { csumBlank: true });
    const [frame] = await received(receiver, 100);
    expect(frame!.csumBlank).toBe(false);
    expect(readTcp(frame!.frame).tcpChecksumRight).toBe(true);
  });
});
