/** The client of other switches, against one made of a session: versions, and bundles that do not take everything. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import {
  decodeMessage,
  type ErrorName,
  errorFor,
  type Message,
  type Outgoing,
  of13,
  of14,
  RequestError,
  Session,
} from 'node-openflow';
import { afterEach, describe, expect, it } from 'vitest';
import { RemoteSwitch, refusedIndex } from '../../../src/reconcile/switch.js';
import { apply, flowMod } from '../ofproto/bed.js';

const { OFPBCT } = of14;
const [OF10, OF13, OF14, OF15] = [1, 4, 5, 6];

interface Habits {
  readonly versions: readonly number[];
  readonly bundles?: boolean;
  /** Hangs up on so many messages in one bundle after it refused one. */
  readonly hangsUpAfter?: number;
  /** Why it does not take a message into a bundle. */
  readonly refuses?: (message: Message) => ErrorName | undefined;
}

class FakeSwitch {
  /** Types of messages that were carried out; those of one bundle in one text. */
  readonly carriedOut: string[] = [];
  readonly flowMods: Message[] = [];
  connections = 0;
  added = 0;
  readonly #server: Server;

  constructor(readonly habits: Habits) {
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  readonly connect = async (): Promise<Socket> => {
    if (!this.#server.listening) {
      await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    }
    const socket = connect((this.#server.address() as AddressInfo).port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    return socket;
  };

  async #serve(socket: Socket): Promise<void> {
    this.connections++;
    const { versions, bundles = true, refuses = () => undefined } = this.habits;
    const session = new Session(socket, { versions });
    const refuse = (xid: number, name: ErrorName) => {
      const { type: errorType, code: errorCode, ...more } = errorFor(session.version!, name);
      session.send({ type: 'error', xid, errorType, errorCode, ...more, data: new Uint8Array(8) });
    };
    let kept: Message[] = [];
    let since = 0;
    for await (const message of session) {
      const { xid } = message;
      if (message.type === 'barrier_request') session.send({ type: 'barrier_reply', xid });
      else if (message.type === 'bundle_control') {
        const { bundleId, controlType, flags } = message;
        if (!bundles) refuse(xid, 'OFPBFC_OUT_OF_BUNDLES');
        else session.send({ type: 'bundle_control', xid, bundleId, controlType: controlType + 1, flags });
        if (controlType === OFPBCT.COMMIT_REQUEST) this.#carryOut(kept);
        if (controlType !== OFPBCT.OPEN_REQUEST) kept = [];
      } else if (message.type === 'bundle_add_message') {
        const decoded = decodeMessage(message.message, { version: session.version! });
        if (!decoded.ok) throw new Error(decoded.error.reason);
        const refusal = refuses(decoded.message);
        if (refusal === undefined) kept.push(decoded.message);
        else refuse(xid, refusal);
        this.added++;
        if (refusal !== undefined || since > 0) since++;
        if (since === this.habits.hangsUpAfter) await session.close();
      } else this.#carryOut([message]);
    }
  }

  #carryOut(messages: readonly Message[]): void {
    this.carriedOut.push(messages.map(({ type }) => type).join('+'));
    this.flowMods.push(...messages.filter(({ type }) => type === 'flow_mod'));
  }

  close(): void {
    this.#server.close();
  }
}

let peer: FakeSwitch | undefined;
let remote: RemoteSwitch | undefined;
afterEach(async () => {
  await remote?.close();
  peer?.close();
  [remote, peer] = [undefined, undefined];
});

async function opened(habits: Habits): Promise<[RemoteSwitch, FakeSwitch]> {
  peer = new FakeSwitch(habits);
  remote = await RemoteSwitch.open(peer.connect);
  return [remote, peer];
}

describe('a switch', () => {
  it.each([
    ['of 1.3', [OF13], OF13],
    ['of 1.4 and more', [OF10, OF13, OF14, OF15], OF14],
    ['of 1.5 alone', [OF15], OF15],
  ])('%s is spoken to in its words', async (_, versions, version) => {
    const [found] = await opened({ versions });
    expect(found.version).toBe(version);
  });

  it('of other versions is refused, with the reason', async () => {
    peer = new FakeSwitch({ versions: [OF10] });
    await expect(RemoteSwitch.open(peer.connect)).rejects.toThrow(/version/);
    expect(peer.connections).toBe(2);
  });
});

const meter: Outgoing = { type: 'meter_mod', command: of13.OFPMC.ADD, meterId: 1, flags: 1, bands: [] };
const move = {
  type: 'nx_reg_move',
  bits: 32,
  source: { field: 'reg0', offset: 0 },
  destination: { field: 'reg1', offset: 0 },
} as const;
const flow = flowMod({ instructions: [apply(move)] });
const stages = { before: [meter], bundled: [flow, flow], after: [meter] };
const noMeters = ({ type }: Message): ErrorName | undefined => (type === 'meter_mod' ? 'OFPBFC_MSG_UNSUP' : undefined);

describe.each([OF13, OF14, OF15])('a change in version %i', (version) => {
  const versions = [version];

  it('is made at once, meters included', async () => {
    const [found, { carriedOut }] = await opened({ versions });
    expect(await found.change(stages)).toBe('all');
    expect(carriedOut).toEqual(['meter_mod+flow_mod+flow_mod+meter_mod']);
  });

  it('has meters before and after where bundles take none', async () => {
    const [found, { carriedOut }] = await opened({ versions, refuses: noMeters });
    expect(await found.change(stages)).toBe('without meters');
    expect(carriedOut).toEqual(['meter_mod', 'flow_mod+flow_mod', 'meter_mod']);
  });

  it('is made one by one where there are no bundles', async () => {
    const [found, { carriedOut }] = await opened({ versions, bundles: false });
    expect(await found.change(stages)).toBe('none');
    expect(carriedOut).toEqual(['meter_mod', 'flow_mod', 'flow_mod', 'meter_mod']);
  });

  it('is refused as a whole, and says which of it was', async () => {
    let flows = 0;
    const second = (message: Message): ErrorName | undefined =>
      message.type === 'flow_mod' && ++flows === 2 ? 'OFPFMFC_TABLE_FULL' : undefined;
    const [found, { carriedOut }] = await opened({ versions, refuses: second });
    const error: unknown = await found.change(stages).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RequestError);
    expect(refusedIndex(error as RequestError, 4)).toBe(2);
    expect(carriedOut).toEqual([]);
  });

  it('is not sent to its end after a message was refused', async () => {
    const [found, fake] = await opened({ versions, refuses: () => 'OFPFMFC_TABLE_FULL' });
    const many = Array.from({ length: 100_000 }, () => flow);
    const error: unknown = await found.change({ before: [], bundled: many, after: [] }).catch((reason) => reason);
    expect(refusedIndex(error as RequestError, many.length)).toBe(0);
    expect(fake.added).toBeLessThan(many.length);
  });

  it('says what was refused also where the switch hangs up then', async () => {
    const [found] = await opened({ versions, refuses: () => 'OFPFMFC_TABLE_FULL', hangsUpAfter: 1 });
    const error: unknown = await found.change({ ...stages, before: [], after: [] }).catch((reason) => reason);
    expect(refusedIndex(error as RequestError, 2)).toBe(0);
  });

  it('says moves in the words of the version', async () => {
    const [found, { flowMods }] = await opened({ versions });
    await found.change(stages);
    const type = version === OF15 ? 'copy_field' : 'nx_reg_move';
    expect(flowMods[0]).toMatchObject({ instructions: [{ type: 'apply_actions', actions: [{ type }] }] });
  });
});
