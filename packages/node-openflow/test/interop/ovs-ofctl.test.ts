/** ovs-ofctl as the controller of a session that plays the switch: negotiation, requests, replies of many messages. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  encodeMultipartReply,
  type FlowMod,
  type FlowStats,
  formatFlow,
  type Message,
  of13,
  parseMac,
  Session,
} from '../../src/index.js';
import { tableFeaturesReply } from '../support/legal.js';

const flowCount = 3000;
const port = {
  portNo: 1,
  hwAddr: parseMac('02:00:00:00:00:01')!,
  name: 'vif1.0',
  config: 0,
  state: of13.OFPPS.LIVE,
  curr: of13.OFPPF['10GB_FD'],
  advertised: 0,
  supported: 0,
  peer: 0,
  currSpeed: 0,
  maxSpeed: 0,
};

let server: Server;
let flows: FlowMod[];

function* stats(): Generator<FlowStats> {
  for (let i = 0; i < flowCount; i++) {
    yield {
      ...{ tableId: 0, durationSec: 1, durationNsec: 0, priority: i, idleTimeout: 0, hardTimeout: 0, flags: 0 },
      ...{ cookie: BigInt(i), packetCount: 0n, byteCount: 0n, match: [], instructions: [] },
    };
  }
}

function answer(session: Session, message: Message): void {
  const { xid, version } = message;
  if (message.type === 'flow_mod') flows.push(message);
  if (message.type === 'barrier_request') session.send({ type: 'barrier_reply', xid });
  if (message.type === 'get_config_request')
    session.send({ type: 'get_config_reply', xid, flags: 0, missSendLen: 128 });
  if (message.type === 'features_request') {
    const rest = { nBuffers: 0, nTables: 254, auxiliaryId: 0, capabilities: 0x4f, reserved: 0 };
    session.send({ type: 'features_reply', xid, datapathId: 0xabcn, ...rest });
  }
  if (message.type !== 'multipart_request') return;
  const { type } = message.body;
  if (type === 'table_features') {
    // ovs-ofctl asks for the tables' names before it adds a flow.
    if (tableFeaturesReply.type === 'multipart_reply') session.send({ ...tableFeaturesReply, xid });
    return;
  }
  const body = type === 'flow' ? { type, entries: stats() } : { type: 'port_desc' as const, entries: [port] };
  for (const bytes of encodeMultipartReply({ version, xid }, body)) session.sendRaw(bytes);
}

beforeEach(async () => {
  flows = [];
  server = createServer(async (socket) => {
    const session = new Session(socket);
    for await (const message of session) answer(session, message);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
});

async function ofctl(...args: readonly string[]): Promise<string> {
  const [command, ...rest] = args;
  const target = `tcp:127.0.0.1:${(server.address() as AddressInfo).port}`;
  const all = ['-O', 'OpenFlow13', command!, target, ...rest];
  return (await promisify(execFile)('ovs-ofctl', all, { maxBuffer: 1 << 26 })).stdout;
}

it('show', async () => {
  const text = await ofctl('show');
  expect(text).toContain('dpid:0000000000000abc');
  expect(text).toContain('1(vif1.0): addr:02:00:00:00:00:01');
  expect(text).toContain('miss_send_len=128');
});

it('add-flow: we print what was typed', async () => {
  const typed =
    'priority=10,tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80 actions=set_field:02:00:00:00:00:02->eth_dst,output:2';
  await ofctl('add-flow', typed);
  expect(flows.map((flow) => formatFlow(flow))).toEqual([typed]);
});

it('dump-flows: a reply of many messages', async () => {
  const lines = (await ofctl('dump-flows')).split('\n').filter((line) => line.includes('cookie='));
  expect(lines).toHaveLength(flowCount);
  expect(lines[flowCount - 1]).toContain('cookie=0xbb7');
});

it('probe', async () => {
  await expect(ofctl('probe')).resolves.toBe('');
});

it('a controller of another version is refused', async () => {
  const target = `tcp:127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = promisify(execFile)('ovs-ofctl', ['-O', 'OpenFlow10', 'show', target]);
  await expect(asked).rejects.toMatchObject({ stderr: expect.stringMatching(/version negotiation failed|OFPHFC/) });
});
