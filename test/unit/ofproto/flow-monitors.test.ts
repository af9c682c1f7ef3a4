/** Flow monitors: what a controller hears of the flows it watches. */
import {
  type FlowMonitor,
  type FlowUpdate,
  type Match,
  type Message,
  type MessageOf,
  match,
  type NxFlowUpdate,
  nicira,
  type Outgoing,
  of14,
} from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { ANY, apply, Bed, FakeController, flowMod, output } from './bed.js';

const { OFPFMC, OFPFMF } = of14;
const ALL = OFPFMF.INITIAL | OFPFMF.ADD | OFPFMF.REMOVED | OFPFMF.MODIFY | OFPFMF.INSTRUCTIONS;

const monitor = (over: Partial<FlowMonitor> = {}): FlowMonitor => ({
  monitorId: 1,
  outPort: ANY,
  outGroup: ANY,
  flags: ALL,
  tableId: 255,
  command: OFPFMC.ADD,
  match: [],
  ...over,
});
const request = (...entries: readonly FlowMonitor[]): Outgoing => ({
  type: 'multipart_request',
  flags: 0,
  body: { type: 'flow_monitor', entries },
});
const flow = (n: number, over = {}) =>
  flowMod({ match: { in_port: n }, cookie: BigInt(n), priority: n, instructions: [apply(output(n + 1))], ...over });

/** What a controller is not told as an answer. */
class Watcher extends FakeController {
  /** False: as if it did not read. */
  reads = true;
  readonly #waiting: (() => void)[] = [];

  override sendRaw(bytes: Uint8Array): boolean {
    super.sendRaw(bytes);
    return this.reads;
  }
  override drained(): Promise<void> {
    return this.reads ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
  read(): void {
    this.reads = true;
    for (const go of this.#waiting.splice(0)) go();
  }
  updates(): FlowUpdate[] {
    return this.received
      .splice(0)
      .flatMap((message) =>
        message.type === 'multipart_reply' && message.body.type === 'flow_monitor' && 'entries' in message.body
          ? (message.body.entries as FlowUpdate[])
          : [],
      );
  }
  /** Event and cookie, or xid. */
  words(): string[] {
    return this.updates().map((update) => {
      if (update.event === 'abbrev') return `abbrev ${update.xid}`;
      return 'match' in update ? `${update.event} ${update.cookie}` : update.event;
    });
  }
}

/** A switch with a controller that watches and another that changes flows. */
class WatchedBed extends Bed {
  readonly watcher: Watcher;
  constructor(version = 5) {
    super(version);
    this.watcher = new Watcher(version);
  }
  async watch(message: Outgoing): Promise<void> {
    await this.ofproto.handle(this.watcher, { ...message, version: this.version, xid: 77 } as Message);
    this.ofproto.barrier();
  }
  errors(): number[][] {
    const errors = this.watcher.received
      .splice(0)
      .filter((reply): reply is MessageOf<'error'> => reply.type === 'error');
    return errors.map(({ errorType, errorCode }) => [errorType, errorCode]);
  }
}

describe('flow monitors (1.4.1 §7.3.5.18)', () => {
  it.each([4, 5, 6])('tell what is there, and then every change, in version %i', async (version) => {
    const bed = new WatchedBed(version);
    await bed.say(flow(1));
    await bed.say(flow(2, { tableId: 3, idleTimeout: 4, hardTimeout: 5 }));
    await bed.watch(request(monitor()));
    // ONF's extension of 1.3 has no word for it.
    const initial = version === 4 ? 'added' : 'initial';
    expect(bed.watcher.received).toMatchObject([{ type: 'multipart_reply', xid: 77 }]);
    const [first, second] = bed.watcher.updates();
    expect(first).toMatchObject({ event: initial, cookie: 1n, priority: 1, instructions: [apply(output(2))] });
    expect(second).toMatchObject({
      event: initial,
      tableId: 3,
      idleTimeout: 4,
      hardTimeout: 5,
      match: match({ in_port: 2 }),
    });
    await bed.say(flow(3));
    await bed.say(flow(3, { command: 1, instructions: [apply(output(1))] }));
    await bed.say(flow(3, { instructions: [] }));
    await bed.say(flow(3, { command: 3 }));
    expect(bed.watcher.received.every(({ xid }) => xid === 0)).toBe(true);
    const heard = bed.watcher.updates();
    expect(heard.map(({ event }) => event)).toEqual(['added', 'modified', 'modified', 'removed']);
    expect(heard[1]).toMatchObject({ instructions: [apply(output(1))] });
    expect(heard[3]).toMatchObject({ reason: 2, instructions: [] });
  });

  it('select by match, table, port and group, before and after a change', async () => {
    const bed = new WatchedBed();
    await bed.say({ type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [] });
    const only = (over: Partial<FlowMonitor>) => bed.watch(request(monitor({ monitorId: 1, ...over })));
    const again = async (over: Partial<FlowMonitor>) => {
      await bed.watch(request(monitor({ command: OFPFMC.DELETE })));
      bed.watcher.updates();
      await only(over);
      bed.watcher.updates();
    };
    await only({ match: match({ in_port: 1 }) as Match });
    await bed.say(flow(1));
    await bed.say(flow(2));
    await bed.say(flow(1, { match: { in_port: 1, eth_type: 0x800 }, cookie: 9n }));
    expect(bed.watcher.words()).toEqual(['added 1', 'added 9']);
    await again({ tableId: 2 });
    await bed.say(flow(4, { tableId: 2 }));
    await bed.say(flow(4));
    expect(bed.watcher.words()).toEqual(['added 4']);
    await again({ outPort: 3 });
    await bed.say(flow(2, { command: 1, instructions: [] }));
    await bed.say(flow(2, { command: 1, instructions: [] }));
    expect(bed.watcher.words()).toEqual(['modified 2']);
    await again({ outGroup: 1 });
    await bed.say(flow(5));
    await bed.say(flow(6, { instructions: [apply({ type: 'group', groupId: 1 })] }));
    await bed.say({ type: 'group_mod', command: 2, groupType: 0, groupId: 1, buckets: [] });
    expect(bed.watcher.words()).toEqual(['added 6', 'removed 6']);
  });

  it('tell of flows that expire and are evicted, with the reason', async () => {
    const bed = new WatchedBed();
    await bed.watch(request(monitor({ flags: OFPFMF.REMOVED })));
    await bed.say(flow(1, { hardTimeout: 2 }));
    bed.now += 3_000_000_000n;
    bed.ofproto.tick();
    expect(bed.watcher.updates()).toMatchObject([{ event: 'removed', reason: 1, cookie: 1n, instructions: [] }]);
  });

  it('abbreviate what the controller did itself, unless it wants all', async () => {
    const bed = new WatchedBed();
    await bed.watch(request(monitor({ flags: ALL & ~OFPFMF.INITIAL })));
    for (const n of [1, 2]) await bed.say(flow(n));
    bed.watcher.updates();
    await bed.watch(flow(3));
    // Two flows, one change.
    await bed.watch(flowMod({ command: 1, instructions: [] }));
    expect(bed.watcher.words()).toEqual(['abbrev 77', 'abbrev 77']);
    await bed.watch(request(monitor({ monitorId: 2, flags: ALL | OFPFMF.NO_ABBREV })));
    bed.watcher.updates();
    await bed.watch(flow(4));
    expect(bed.watcher.words()).toEqual(['added 4']);
  });

  it('tell of nobody else where they shall not', async () => {
    const bed = new WatchedBed();
    await bed.watch(request(monitor({ flags: OFPFMF.ADD | OFPFMF.NO_ABBREV | OFPFMF.ONLY_OWN })));
    bed.watcher.updates();
    await bed.say(flow(1));
    await bed.watch(flow(2));
    expect(bed.watcher.words()).toEqual(['added 2']);
  });

  it('say of a bundle only what came of it', async () => {
    const bed = new WatchedBed();
    await bed.watch(request(monitor()));
    bed.watcher.updates();
    const whole = (message: Outgoing, xid: number) => ({ ...message, version: 5, xid }) as MessageOf<'flow_mod'>;
    expect(bed.ofproto.commit(bed.watcher, [whole(flow(1), 5), whole(flow(2, { tableId: 254 }), 6)])).toBeDefined();
    const bad = flow(2, { instructions: [apply({ type: 'group', groupId: 9 })] });
    expect(bed.ofproto.commit(bed.watcher, [whole(flow(1), 5), whole(bad, 6)])).toBeDefined();
    expect(bed.watcher.words()).toEqual([]);
    expect(bed.ofproto.commit(bed.watcher, [whole(flow(1), 5), whole(flow(2), 6)])).toBeUndefined();
    expect(bed.watcher.words()).toEqual(['abbrev 5', 'abbrev 6']);
  });

  it('pause while the controller does not read, and catch up', async () => {
    const bed = new WatchedBed();
    await bed.watch(request(monitor()));
    for (const n of [1, 2]) await bed.say(flow(n));
    bed.watcher.updates();
    bed.watcher.reads = false;
    await bed.say(flow(3));
    expect(bed.watcher.words()).toEqual(['added 3', 'paused']);
    await bed.say(flow(4));
    await bed.say(flow(5));
    await bed.say(flow(2, { command: 1, instructions: [] }));
    await bed.say(flow(1, { command: 3 }));
    // It never knew of this one.
    await bed.say(flow(4, { command: 3 }));
    expect(bed.watcher.words()).toEqual(['removed 1']);
    bed.watcher.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(bed.watcher.words()).toEqual(['added 5', 'modified 2', 'resumed']);
    await bed.say(flow(6));
    expect(bed.watcher.words()).toEqual(['added 6']);
  });

  it('end with the connection, and with their deletion', async () => {
    const bed = new WatchedBed();
    await bed.watch(request(monitor()));
    await bed.watch(request(monitor({ command: OFPFMC.MODIFY, flags: OFPFMF.ADD })));
    bed.watcher.updates();
    await bed.say(flow(1));
    await bed.say(flow(1, { command: 3 }));
    expect(bed.watcher.words()).toEqual(['added 1']);
    await bed.watch(request(monitor({ command: OFPFMC.DELETE })));
    bed.watcher.updates();
    await bed.say(flow(2));
    expect(bed.watcher.words()).toEqual([]);
    await bed.watch(request(monitor()));
    bed.watcher.updates();
    bed.watcher.gone = true;
    await bed.say(flow(3));
    bed.watcher.gone = false;
    await bed.say(flow(4));
    expect(bed.watcher.words()).toEqual([]);
  });

  it.each([
    ['OFPMOFC_MONITOR_EXISTS', [16, 1], [monitor(), monitor()]],
    ['OFPMOFC_UNKNOWN_MONITOR', [16, 3], [monitor({ command: OFPFMC.MODIFY })]],
    ['OFPMOFC_UNKNOWN_MONITOR', [16, 3], [monitor({ command: OFPFMC.DELETE })]],
    ['OFPMOFC_BAD_COMMAND', [16, 4], [monitor({ command: 3 })]],
    ['OFPMOFC_BAD_FLAGS', [16, 5], [monitor({ flags: OFPFMF.INITIAL })]],
    ['OFPMOFC_BAD_FLAGS', [16, 5], [monitor({ flags: 0x81 })]],
    ['OFPMOFC_BAD_TABLE_ID', [16, 6], [monitor({ tableId: 254 })]],
    ['OFPMOFC_UNKNOWN', [16, 0], Array.from({ length: 257 }, (_, monitorId) => monitor({ monitorId }))],
  ] as const)('%s', async (_name, error, entries) => {
    const bed = new WatchedBed();
    await bed.watch(request(...entries));
    expect(bed.errors()).toEqual([error]);
    // Nothing of a request that is refused stays.
    await bed.say(flow(1));
    expect(bed.watcher.words()).toEqual([]);
  });
});

describe("Nicira's flow monitors", () => {
  const { NXFME, NXFMF } = nicira;
  const nxRequest = (over = {}): Outgoing => {
    const one = { id: 3, flags: 31, outPort: 0xffff, tableId: 255, match: [], ...over };
    return { type: 'multipart_request', flags: 0, body: { type: 'nx_flow_monitor', monitors: [one] } };
  };
  const heard = (watcher: Watcher) =>
    watcher.received
      .splice(0)
      .flatMap((message) =>
        message.type === 'multipart_reply' && message.body.type === 'nx_flow_monitor'
          ? (message.body.entries as NxFlowUpdate[])
          : [],
      );

  it.each([1, 2, 3])('are the same in version %i', async (version) => {
    const bed = new WatchedBed(version);
    await bed.say(flow(1));
    await bed.watch(nxRequest());
    expect(heard(bed.watcher)).toMatchObject([{ event: NXFME.ADDED, cookie: 1n, actions: [output(2)] }]);
    await bed.say(flow(2, { command: 3 }));
    await bed.say(flow(1, { command: 4 }));
    expect(heard(bed.watcher)).toMatchObject([{ event: NXFME.DELETED, reason: 2, match: match({ in_port: 1 }) }]);
    await bed.watch(flow(4));
    expect(heard(bed.watcher)).toEqual([{ type: 'abbrev', xid: 77 }]);
    await bed.watch({ type: 'nx_flow_monitor_cancel', id: 3 });
    await bed.say(flow(5));
    expect(bed.watcher.received).toEqual([]);
    await bed.watch({ type: 'nx_flow_monitor_cancel', id: 3 });
    expect(bed.watcher.received).toMatchObject([{ type: 'error' }]);
  });

  it('pause with messages of their own', async () => {
    const bed = new WatchedBed(1);
    await bed.watch(nxRequest({ flags: NXFMF.ADD }));
    bed.watcher.received.length = 0;
    bed.watcher.reads = false;
    await bed.say(flow(1));
    await bed.say(flow(2));
    bed.watcher.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(bed.watcher.received.map(({ type }) => type)).toEqual([
      'multipart_reply',
      'nx_flow_monitor_paused',
      'multipart_reply',
      'nx_flow_monitor_resumed',
    ]);
  });
});
