/** Packets that an action pauses, and NXT_RESUME, on the native datapath: the model's end where they pause. */
import {
  type Action,
  decodeMessage,
  type ErrorMessage,
  encodeMessage,
  errorName,
  type Message,
  type NxPacketIn2,
  type NxPacketInProperty,
  nicira,
  type Outgoing,
} from 'node-openflow';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Datapath, PortNo } from '../../../src/datapath/datapath.js';
import { NativeDatapathAdapter } from '../../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../../src/datapath/native-addon.js';
import { encodeEvent } from '../../../src/ofproto/event-forms.js';
import { type AsyncEvent, Ofproto } from '../../../src/ofproto/index.js';
import { apply, FakeController, flowMod, output, packetOut } from './bed.js';

const OF10 = 1;
const TABLE = 0xfffffff9;
const frame = Uint8Array.from({ length: 60 }, (_, i) => (i === 12 ? 0x88 : i === 13 ? 0xb5 : i));
const pause: Action = { type: 'nx_controller2', pause: true, userdata: Uint8Array.of(1, 2) };
const inPort1 = { field: 'in_port', value: Uint8Array.of(0, 0, 0, 1) } as const;

let runtime: NativeRuntime;
let datapath: Datapath;
let ofproto: Ofproto;
let outputs: { port: number; frame: Uint8Array }[];
let events: AsyncEvent[];

beforeEach(() => {
  runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
  datapath = new NativeDatapathAdapter(runtime);
  [outputs, events] = [[], []];
  ofproto = new Ofproto({
    datapath,
    datapathId: 1n,
    description: { manufacturer: 'm', hardware: 'h', software: 's', serial: 'n', datapath: 'br0' },
    onPortOutput: (port, bytes) => outputs.push({ port, frame: bytes.slice() }),
  });
  ofproto.onAsync((event) => events.push(event));
  for (const number of [1, 2, 3]) {
    datapath.portAttach(number as PortNo, { kind: 'capture' });
    ofproto.portAdded({ number, name: `p${number}`, mac: `02:00:00:00:00:0${number}` });
  }
  ofproto.controllersChanged(true);
});
afterEach(() => {
  ofproto.close();
  datapath.close();
  runtime.close();
});

describe.each([1, 4, 6])('OpenFlow version %i', (version) => {
  const controller = new FakeController(version);
  controller.flowFormat = { nxm: false, tableIds: true };

  function say(message: Outgoing): string | undefined {
    const bytes = encodeMessage({ ...message, version, xid: 7 } as Message);
    const decoded = decodeMessage(bytes, { version, unknown: 'refuse' });
    if (!decoded.ok) throw new Error(decoded.error.reason);
    void ofproto.handle(controller, decoded.message);
    ofproto.barrier();
    const [error] = controller.received.splice(0) as ErrorMessage[];
    return error && errorName(error.errorType, error.errorCode, error.version, error);
  }

  /** The packet comes in at port 1 and is told of. */
  async function told(): Promise<readonly NxPacketInProperty[]> {
    expect(say(packetOut({ inPort: 1, actions: [output(TABLE)], data: frame }))).toBeUndefined();
    const event = await vi.waitFor(() => events.find(({ type }) => type === 'packet_in') ?? expect.fail());
    const form = { version, nxm: false, packetInFormat: nicira.NXPIF.NXT_PACKET_IN2, missSendLen: 128 };
    const decoded = decodeMessage(encodeEvent(event, form)!, { version });
    if (!decoded.ok) throw new Error(decoded.error.reason);
    return (decoded.message as NxPacketIn2).properties;
  }
  const resume = (properties: readonly NxPacketInProperty[]) => say({ type: 'nx_resume', properties });

  it('a packet goes on behind the action that paused it', async () => {
    const set = { field: 'reg3', value: Uint8Array.of(0, 0, 0, 5) } as const;
    const load: Action =
      version === OF10
        ? { type: 'nx_reg_load', destination: { field: 'reg3', offset: 0, bits: 32 }, value: 5n }
        : { type: 'set_field', oxm: set };
    say(flowMod({ instructions: [apply(output(2), load, pause, output(3))] }));
    const properties = await told();
    await vi.waitFor(() => expect(outputs.map(({ port }) => port)).toEqual([2]));
    expect(properties).toContainEqual({ type: 'userdata', data: Uint8Array.of(1, 2) });
    const metadata = properties.find((each) => each.type === 'metadata');
    expect(metadata).toMatchObject({ match: expect.arrayContaining([set]) });
    expect(resume(properties)).toBeUndefined();
    await vi.waitFor(() => expect(outputs.map(({ port }) => port)).toEqual([2, 3]));
    expect(outputs[1]!.frame).toEqual(frame);
  });

  it('packet and fields are what the controller sends back', async () => {
    say(flowMod({ instructions: [apply(pause, { type: 'nx_resubmit_table', inPort: 0xfff8, tableId: 1 })] }));
    const properties = await told();
    const other = frame.slice().fill(0x77, 20);
    const reg1 = { field: 'reg1', value: Uint8Array.of(0, 0, 0, 9) } as const;
    // As Open vSwitch's tools say it in 1.5: the lower half of a wider register.
    const [value, mask] = [Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9), Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255)];
    const wide = { field: 'xreg0', value, mask } as const;
    const done = version === OF10 ? { actions: [output(2)] } : { actions: [], instructions: [apply(output(2))] };
    say({
      ...{ type: 'nx_flow_mod', command: 1 << 8, cookie: 0n, idleTimeout: 0, hardTimeout: 0, priority: 1 },
      ...{ bufferId: 0xffffffff, outPort: 0xffff, flags: 0, match: [reg1] },
      ...done,
    } as Outgoing);
    const changed = properties.map((each): NxPacketInProperty => {
      if (each.type === 'packet') return { type: 'packet', data: other };
      return each.type === 'metadata' ? { type: 'metadata', match: [inPort1, version === OF10 ? reg1 : wide] } : each;
    });
    expect(resume(changed)).toBeUndefined();
    await vi.waitFor(() => expect(outputs).toEqual([{ port: 2, frame: other }]));
  });

  it('what was not told, or not so, is refused', async () => {
    say(flowMod({ instructions: [apply(pause, output(3))] }));
    const properties = await told();
    const without = (type: string) => properties.filter((each) => each.type !== type);
    const continuation = properties.find((each) => each.type === 'continuation') as { readonly data: Uint8Array };
    const forged = continuation.data.slice();
    forged[forged.length >>> 1]! ^= 1;
    expect(resume([...without('continuation'), { type: 'continuation', data: forged }])).toBe('NXR_STALE');
    expect(resume(without('continuation'))).toBe('NXR_STALE');
    expect(resume([])).toBe('NXR_STALE');
    expect(resume(without('metadata'))).toBe('OFPBRC_BAD_PORT');
    expect(resume(without('packet'))).toMatch(/OFPBRC_BAD_PACKET|NXBRC_UNENCODABLE_ERROR/);
    expect(outputs).toEqual([]);
  });
});
