/**
 * Flows in ovs-ofctl's syntax, both ways, against ovs-ofctl 3.1: the same message byte for byte, the same text, the same
 * flows refused; and what mod-flows, del-flows, add-flows and bundles send.
 */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeMessage, type FlowMod, formatInstructions, formatMatch, Session } from '../../src/index.js';
import { type FlowCommand, formatFlow, parseFlow, parseFlows } from '../../src/text/index.js';
import { actionFlows, falselyMasked, matchFlows, refusedFlows, settingFlows } from '../support/flow-corpus.js';
import { legalMessages, tableFeaturesReply } from '../support/legal.js';
import { ovsFlows } from '../support/ovs.js';
import { decoded, toHex } from '../support/wire.js';

const flows = [...actionFlows, ...matchFlows.map((match) => `${match} actions=drop`), ...settingFlows];
/** What ovs-ofctl's own text does not carry, so that reading it again makes another message. */
const lossy = /enqueue|tun_metadata63=0x1234.0xffff|^eth(,reg|,? actions)|^eth$/;

function taken<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: unknown },
): Value {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

describe('flows', () => {
  const made = ovsFlows(flows);
  it.each(flows.map((flow, i) => [flow, i] as const))('%s', (flow, i) => {
    const { bytes, text } = made[i]!;
    const message = decoded(bytes) as FlowMod;
    const head = { version: 4, xid: message.xid };
    expect(toHex(encodeMessage({ ...head, ...taken(parseFlow(flow)) }))).toBe(toHex(bytes));
    if (!/debug_/.test(flow)) {
      const [, before, actions] = /ADD (?:table:\d+ )?(.*?)actions=(.*)$/s.exec(text)!;
      const shown = [message.priority === 32768 ? '' : `priority=${message.priority}`, formatMatch(message.match)];
      expect(
        before!.replace(/\b(cookie|idle|hard|send_flow_rem|check_overlap|reset_counts|no_\w+_counts)\S* /g, '').trim(),
      ).toBe(shown.filter((part) => part !== '').join(','));
      expect(formatInstructions(message.instructions)).toBe(actions);
    }
    if (lossy.test(flow)) return;
    expect(toHex(encodeMessage({ ...head, ...taken(parseFlow(formatFlow(message))) }))).toBe(toHex(bytes));
  });
  it.each(falselyMasked)('%s: we ask for what is written', (match) => {
    const mods = taken(parseFlow(`${match} actions=drop`));
    expect(mods.match.every(({ field }) => field !== 'raw')).toBe(true);
    expect(mods.match.some((tlv) => 'mask' in tlv && tlv.mask !== undefined)).toBe(false);
  });
});

describe('refused by both', () => {
  it.each(refusedFlows)('%s', (flow) => {
    expect(parseFlow(flow).ok).toBe(false);
    const run = () => execFileSync('ovs-ofctl', ['-O', 'OpenFlow13', 'parse-flow', flow], { stdio: 'pipe' });
    expect(run).toThrow(/ovs-ofctl:/);
  });
});

/** ovs-ofctl does not read all IPv6 masks that it prints, and leaves out an empty write_actions. */
const notRead = /(?:ipv6_\w+|nd_target)=[0-9a-f:]+\/[0-9a-f]*:|write_actions\(drop\)/;

describe('random flows', () => {
  it('what we print, ovs-ofctl reads as the same flow', () => {
    const seed = Number(process.env.FC_SEED ?? 1);
    const messages = fc
      .sample(legalMessages.flow_mod as fc.Arbitrary<FlowMod>, { numRuns: 300, seed })
      .map((message) => ({
        ...message,
        command: 0,
        cookieMask: 0n,
        bufferId: 0xffffffff,
        outPort: 0xffffffff,
        outGroup: 0xffffffff,
      }));
    const texts = messages.map((message) => formatFlow(message));
    const kept = texts.flatMap((text, i) =>
      parseFlow(text).ok && !notRead.test(text) ? [{ text, message: messages[i]! }] : [],
    );
    expect(kept.length).toBeGreaterThan(100);
    const made = ovsFlows(kept.map(({ text }) => text));
    for (const [i, { text, message }] of kept.entries()) {
      const read = decoded(made[i]!.bytes) as FlowMod;
      expect(formatFlow({ ...read, tableId: message.tableId }), text).toBe(text);
      const ours = encodeMessage({ version: 4, xid: read.xid, ...taken(parseFlow(text)) });
      expect(toHex(ours), text).toBe(toHex(made[i]!.bytes));
    }
  });
});

describe('sent to a switch', () => {
  let server: Server;
  let received: FlowMod[] = [];
  beforeAll(async () => {
    server = createServer(async (socket) => {
      const session = new Session(socket);
      for await (const message of session) {
        const { xid } = message;
        if (message.type === 'flow_mod') received.push(message);
        if (message.type === 'barrier_request') session.send({ type: 'barrier_reply', xid });
        if (message.type === 'features_request') {
          session.send({
            type: 'features_reply',
            xid,
            datapathId: 1n,
            nBuffers: 0,
            nTables: 254,
            auxiliaryId: 0,
            capabilities: 0,
            reserved: 0,
          });
        }
        if (
          message.type === 'multipart_request' &&
          message.body.type === 'table_features' &&
          tableFeaturesReply.type === 'multipart_reply'
        ) {
          session.send({ ...tableFeaturesReply, xid });
        }
        if (message.type === 'multipart_request' && message.body.type === 'port_desc') {
          session.send({ type: 'multipart_reply', xid, flags: 0, body: { type: 'port_desc', entries: [] } });
        }
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
  });

  async function sent(...args: readonly string[]): Promise<FlowMod[]> {
    received = [];
    const [command, ...rest] = args;
    const target = `tcp:127.0.0.1:${(server.address() as AddressInfo).port}`;
    await promisify(execFile)('ovs-ofctl', ['-O', 'OpenFlow13', ...command!.split(' '), target, ...rest]);
    return received;
  }

  it.each([
    [
      'add-flow',
      'add',
      'table=2,priority=5,cookie=0x1234,idle_timeout=5,hard_timeout=6,send_flow_rem,ip actions=output:1',
    ],
    ['mod-flows', 'modify', 'table=2,tcp actions=output:2'],
    ['mod-flows', 'modify', 'cookie=5,tcp actions=output:2'],
    ['mod-flows', 'modify', 'cookie=5/0xff,tcp actions=output:2'],
    ['mod-flows', 'modify', 'cookie=0/0,tcp actions=output:2'],
    ['--strict mod-flows', 'modify_strict', 'priority=7,tcp,reset_counts actions=output:2'],
    ['del-flows', 'delete', 'tcp'],
    ['del-flows', 'delete', 'table=3,out_port=5,out_group=7,cookie=3/-1'],
    ['del-flows', 'delete', 'out_port=LOCAL,arp'],
    ['--strict del-flows', 'delete_strict', 'priority=9,reg0=5'],
  ] as const)('%s %s', async (tool, command, flow) => {
    const [got] = await sent(tool, flow);
    const made = taken(parseFlow(flow, { command: command as FlowCommand }));
    expect(made).toEqual({ ...got, version: undefined, xid: undefined, ...made, command: got!.command });
    const head = { version: 4, xid: got!.xid };
    expect(toHex(encodeMessage({ ...head, ...made }))).toBe(toHex(encodeMessage(got!)));
    const again = taken(parseFlow(formatFlow(got!), { command: command as FlowCommand }));
    if (!/cookie=0.0/.test(flow)) expect(toHex(encodeMessage({ ...head, ...again }))).toBe(toHex(encodeMessage(got!)));
  });

  it('a file with commands and comments', async () => {
    const text =
      '# flows\nadd table=1,priority=3,ip actions=1\n\n delete table=1,arp # no ARP\nmodify_strict priority=3,tcp actions=drop\nreg0=5 actions=2\n';
    const folder = mkdtempSync(join(tmpdir(), 'flows-'));
    try {
      writeFileSync(join(folder, 'flows'), text);
      const got = await sent('add-flows', join(folder, 'flows'));
      const made = taken(parseFlows(text));
      expect(made.map((flow, i) => toHex(encodeMessage({ version: 4, xid: got[i]!.xid, ...flow })))).toEqual(
        got.map((message) => toHex(encodeMessage(message))),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
