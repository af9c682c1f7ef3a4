import { match, of13, type PacketIn } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { LearningSwitch } from '../../../examples/learning-controller/learning.js';
import { parseOptions } from '../../../examples/learning-controller/options.js';
import { Places } from '../../../examples/learning-controller/places.js';

const A = [0x00, 0x16, 0x3e, 0, 0, 1];
const B = [0x00, 0x16, 0x3e, 0, 0, 2];
const BROADCAST = [255, 255, 255, 255, 255, 255];

function packetIn(from: number[], to: number[], inPort: number, bufferId: number = of13.OFP_NO_BUFFER): PacketIn {
  return {
    version: 4,
    xid: 1,
    type: 'packet_in',
    bufferId,
    totalLen: 60,
    reason: 0,
    tableId: 0,
    cookie: 0n,
    match: match({ in_port: inPort }),
    data: Uint8Array.from([...to, ...from, 0x08, 0x00, ...new Array(46).fill(0)]),
  };
}

const output = (port: number) => [{ type: 'output', port, maxLen: of13.OFPCML.NO_BUFFER }];

describe('the learning controller', () => {
  const create = () => new LearningSwitch({ idleTimeout: 60 });

  it('starts with an empty table and a table-miss entry', () => {
    const [remove, miss] = create().connected();
    expect(remove).toMatchObject({ type: 'flow_mod', command: of13.OFPFC.DELETE, tableId: 255, match: [] });
    expect(miss).toMatchObject({ command: of13.OFPFC.ADD, priority: 0, match: [] });
    expect(miss).toMatchObject({ instructions: [{ actions: output(of13.OFPP.CONTROLLER) }] });
  });

  it('floods what goes to all or to somebody unknown', () => {
    const learning = create();
    for (const to of [BROADCAST, B]) {
      expect(learning.received(packetIn(A, to, 1))).toMatchObject([
        { type: 'packet_out', inPort: 1, actions: output(of13.OFPP.FLOOD) },
      ]);
    }
  });

  it('a known pair gets a flow, and the packet goes on', () => {
    const learning = create();
    learning.received(packetIn(A, BROADCAST, 1));
    const [flow, out] = learning.received(packetIn(B, A, 2));
    expect(flow).toMatchObject({ type: 'flow_mod', command: 0, priority: 10, idleTimeout: 60 });
    expect(flow).toMatchObject({
      match: match({ in_port: 2, eth_dst: Uint8Array.from(A), eth_src: Uint8Array.from(B) }),
      instructions: [{ type: 'apply_actions', actions: output(1) }],
    });
    expect(out).toMatchObject({ type: 'packet_out', inPort: 2, actions: output(1) });
  });

  it('of13 §6.4: a buffered packet is released by the flow_mod', () => {
    const learning = create();
    learning.received(packetIn(A, BROADCAST, 1));
    expect(learning.received(packetIn(B, A, 2, 77))).toMatchObject([{ type: 'flow_mod', bufferId: 77 }]);
  });

  it('a buffered packet that is flooded is not sent back', () => {
    const [out] = create().received(packetIn(A, BROADCAST, 1, 78));
    expect(out).toMatchObject({ type: 'packet_out', bufferId: 78, data: new Uint8Array(0) });
  });

  it('a station that moved loses the flows that lead to its old place', () => {
    const learning = create();
    learning.received(packetIn(A, BROADCAST, 1));
    expect(learning.received(packetIn(A, BROADCAST, 3))[0]).toMatchObject({
      command: of13.OFPFC.DELETE,
      match: match({ eth_dst: '00:16:3e:00:00:01' }),
    });
  });

  it('a port that is gone takes its stations with it', () => {
    const learning = create();
    learning.received(packetIn(A, BROADCAST, 1));
    const port = { portNo: 1, hwAddr: Uint8Array.from(A), name: 'p', config: 0, state: 0, curr: 0, advertised: 0 };
    const gone = { ...port, supported: 0, peer: 0, currSpeed: 0, maxSpeed: 0 };
    const status = { version: 4, xid: 0, type: 'port_status', reason: of13.OFPPR.DELETE, port: gone } as const;
    expect(learning.received(status)).toMatchObject([{ type: 'flow_mod', command: of13.OFPFC.DELETE }]);
    expect(learning.received(packetIn(B, A, 2))).toMatchObject([{ actions: output(of13.OFPP.FLOOD) }]);
  });

  it('leaves alone LLDP, runts and what was heard on the wire already', () => {
    const learning = create();
    learning.received(packetIn(A, BROADCAST, 1));
    const lldp = packetIn(B, A, 2);
    lldp.data.set([0x88, 0xcc], 12);
    const runt = { ...packetIn(B, A, 2), data: new Uint8Array(13) };
    expect([lldp, runt, packetIn(B, A, 1)].map((message) => learning.received(message))).toEqual([[], [], []]);
  });

  it('never learns a group address', () => {
    const learning = create();
    learning.received(packetIn(BROADCAST, B, 1));
    expect(learning.received(packetIn(B, BROADCAST, 2))).toMatchObject([{ actions: output(of13.OFPP.FLOOD) }]);
  });
});

describe('places', () => {
  it('forgets the station not heard of for longest', () => {
    const places = new Places(2);
    expect(['a', 'b', 'a', 'c'].map((mac) => places.learn(mac, 1))).toEqual(['new', 'new', 'known', 'new']);
    expect(['a', 'b', 'c'].map((mac) => places.find(mac))).toEqual([1, undefined, 1]);
    expect(places.size).toBe(2);
  });
});

describe('options', () => {
  it('are read', () => {
    expect(parseOptions([])).toEqual({ host: '127.0.0.1', port: 6653, idleTimeout: 60 });
    expect(parseOptions(['--listen', '[::1]:0', '--idle-timeout', '5'])).toEqual({
      host: '::1',
      port: 0,
      idleTimeout: 5,
    });
    expect(parseOptions(['--listen', ':6653'])).toMatchObject({ host: '0.0.0.0' });
    expect(parseOptions(['-h'])).toBe('help');
  });

  it.each([['--listen', 'here'], ['--listen', 'h:65536'], ['--idle-timeout', '-1'], ['--nonsense']])(
    'refuses %s %s',
    (...args) => expect(() => parseOptions(args)).toThrow(),
  );
});
