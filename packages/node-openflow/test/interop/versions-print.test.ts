/**
 * The same value says the same to Debian's ovs-ofctl in every version.
 *
 * What ovs-ofctl prints about 1.3 is checked word by word in ofp-print.test.ts. Here each value is also encoded in the
 * other versions, and the text must be the same, but for what `said` names: what an older version does not say, and words
 * that ovs-ofctl has for the same thing. So a value means in every version what it means in 1.3.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, type Instruction, type Match, type Message } from '../../src/index.js';
import { legalMessages, legalReplies, legalRequests } from '../support/legal.js';
import { ofpParse } from '../support/ovs.js';
import { matchOf } from '../support/versions.js';

const head = { version: 4, xid: 7, flags: 0 };
const seed = Number(process.env.FC_SEED ?? 1);

/** Reduces a flow to what 1.0 to 1.2 can say of one. */
function plainFlow<F extends { readonly match: Match }>(flow: F, match: Match): F {
  const instructions: readonly Instruction[] = [
    { type: 'apply_actions', actions: [{ type: 'output', port: 3, maxLen: 0 }, { type: 'pop_vlan' }] },
  ];
  const had = 'instructions' in flow ? { instructions } : {};
  return { ...flow, ...had, match, cookieMask: 0n, tableId: 0, flags: 0, outGroup: 0xffffffff };
}

function fitting(message: Message, version: number, match: Match): Message {
  if (version > 3) return message;
  if (message.type === 'flow_mod') return { ...plainFlow(message, match), command: 0, flags: message.flags & 3 };
  if (message.type === 'flow_removed') return { ...plainFlow(message, match), hardTimeout: 0 };
  if (message.type === 'queue_get_config_reply') {
    const queues = message.queues.map((queue) => ({ ...queue, properties: queue.properties.slice(0, 1) }));
    return { ...message, queues };
  }
  if (message.type === 'multipart_request' && 'match' in message.body) {
    return { ...message, body: { ...plainFlow(message.body, match), tableId: 0xff } };
  }
  if (message.type !== 'multipart_reply' || message.body.type !== 'flow') return message;
  return { ...message, body: { ...message.body, entries: message.body.entries.map((flow) => plainFlow(flow, match)) } };
}

/** What is said of a value, in one wording, without what the version does not say. */
function said(text: string, type: string, version: number): string {
  let words = text.replace(/ \(OF1\.\d\)/, '');
  if (/^packet|^echo/.test(type)) words = words.split('\n')[0]!;
  words = words.replace(/mod_dl_src:([0-9a-f:]+)/g, 'set_field:$1->eth_src').replace(/strip_vlan/g, 'pop_vlan');
  words = words.replace(/bucket_id:\d+,/g, '');
  if (type === 'table_mod') words = words.replace(/(table_id=\w+).*/, '$1');
  if (version <= 3) {
    words = words.replace(/cookie=0x[0-9a-f]+ (total_len)/, '$1').replace(/duration=[0-9.]+s/g, 'duration=?');
    words = words.replace(/,duration=\?/g, type === 'group' ? '' : '$&');
    if (type === 'port_stats') words = words.replace(/\n +duration=\?/g, '');
    if (type === 'table') words = words.split('\n').slice(0, 3).join('\n');
  }
  if (version <= 2 && type === 'packet_in') words = words.replace(/(total_len=\d+) \S*in_port/, '$1 in_port');
  if (version === 1) {
    words = words.replace(/table_id=\d+ /, '').replace(/ (40GB|100GB|1TB)-FD| OTHER/g, '');
    words = words.replace(/ (BLOCKED|LIVE)\b/g, '').replace(/speed: .*/g, '');
    words = words.replace(/(current|advertised|supported|peer|advertise|state): +(?=\n|$)/g, '$1: 0');
    words = words.replace(/\n +(current|advertised|supported|peer): +0/g, '');
  }
  return words.replace(/[ \t]+$/gm, '').replace(/ {2,}/g, ' ');
}

/** Versions whose form of it Open vSwitch 3.1 does not read, or does not tell the same of. */
const unread: Readonly<Record<string, readonly number[]>> = { 'reply meter_features': [6] };

function agrees(name: string, type: string, arbitrary: fc.Arbitrary<Message>, version: number): void {
  const matches = fc.sample(matchOf(1), { numRuns: 40, seed });
  const values = fc
    .sample(arbitrary, { numRuns: 40, seed })
    .map((message, i) => fitting(message, version, matches[i]!));
  const here = ofpParse(values.map((message) => encodeMessage({ ...message, version })));
  const there = ofpParse(values.map(encodeMessage));
  for (const [i, text] of here.entries()) {
    const bytes = Buffer.from(encodeMessage({ ...values[i]!, version })).toString('hex');
    expect(said(text, type, version), `${name} ${bytes}`).toBe(said(there[i]!, type, version));
  }
}

const request = (body: unknown) => ({ ...head, type: 'multipart_request', body }) as Message;
const reply = (body: unknown) => ({ ...head, type: 'multipart_reply', body }) as Message;
const none = new Set<string>();
/** What a version does not have at all. */
const since: Readonly<Record<string, number>> = {
  ...{ group_mod: 2, table_mod: 2, role_request: 3, role_reply: 3, meter_mod: 4 },
  ...{ get_async_request: 4, get_async_reply: 4, set_async: 4 },
  ...{ group: 2, group_desc: 2, group_features: 3, meter: 4, meter_config: 4, meter_features: 4 },
  ...{ table_features: 4, port_desc: 4 },
};
const until: Readonly<Record<string, number>> = { queue_get_config_request: 4, queue_get_config_reply: 4 };
/** A set_field of eth_src is all that `legalMessages` has in a packet_out or a bucket besides what 1.0 does not know. */
const unlike: Readonly<Record<number, ReadonlySet<string>>> = { 1: new Set(['packet_out']) };

describe.each([1, 2, 3, 5, 6])('version %i', (version) => {
  const has = (type: string) =>
    version >= (since[type] ?? 1) && version <= (until[type] ?? 6) && !(unlike[version] ?? none).has(type);
  for (const [type, arbitrary] of Object.entries(legalMessages)) {
    // 1.0 to 1.2 have the ports in it, which are told of as well.
    if (!has(type) || (version < 4 && type === 'features_reply')) continue;
    it(type, () => agrees(type, type, arbitrary, version));
  }
  for (const [type, body] of Object.entries(legalRequests)) {
    if (has(type)) it(`request ${type}`, () => agrees(type, type, body.map(request), version));
  }
  for (const [type, body] of Object.entries(legalReplies)) {
    if (!has(type) || unread[`reply ${type}`]?.includes(version)) continue;
    it(`reply ${type}`, () => agrees(type, type, (body as fc.Arbitrary<unknown>).map(reply), version));
  }
});
