/** Multipart requests (OpenFlow 1.3.5 §7.3.5): what is read from the datapath, in parts where it is long. */

import {
  encodeMultipartReply,
  type FlowStatsRequest,
  type Head,
  type MultipartReplyBody,
  type MultipartReplySource,
  type MultipartRequest,
  type NxFlowStatsRequest,
  nicira,
  of13,
  of15,
} from 'node-openflow';
import type { Steps } from '../base/slices.js';
import type { Datapath } from '../datapath/datapath.js';
import {
  decodeAggregateAnswer,
  decodeGroupAnswers,
  decodeMeterAnswers,
  decodePortAnswers,
  decodeTableAnswers,
  encodeQuery,
  METER_ALL,
  type QueryRecord,
  RecordWriter,
} from '../datapath/records.js';
import { allTables, Query, ReservedPort, tables } from '../datapath/schema.gen.js';
import type { ControllerView } from './controller-view.js';
import { dumpMessages, isDumped } from './flow-dump.js';
import { BANDS_MAX, GROUPS_MAX, METERS_MAX, READ_PART_BYTES } from './limits.js';
import { badRequest, meterModFailed, type OfError, queueOpFailed } from './of-error.js';
import type { PortTable } from './port-table.js';
import {
  flowStatistics,
  flowStats,
  groupDescs,
  groupStats,
  meterConfigs,
  meterStats,
  nxFlowStats,
  portStats,
} from './stats-entries.js';
import { legacyTableAbilities, tableFeatures } from './table-features.js';
import type { TableSettings } from './table-settings.js';
import { checkMatch, writeMatch } from './translate-match.js';
import { widePort } from './translate-nicira.js';
import { ACTIONS_10, legacyPort, OF10, OF11, OF15, sayable } from './versions.js';

const { OFPBRC, OFPGFC, OFPMF, OFPMBT, OFPMMFC, OFPM, OFPQ, OFPQOFC, OFPG } = of13;

/** Who we are, in the answer to a description request (§7.3.5.1). */
export interface Description {
  readonly manufacturer: string;
  readonly hardware: string;
  readonly software: string;
  readonly serial: string;
  readonly datapath: string;
}

/** An answer: one body, or a list that is made while it is sent. */
export type Answer =
  /** More of the request is to come. */
  | { readonly kind: 'none' }
  | { readonly kind: 'error'; readonly error: OfError }
  | { readonly kind: 'body'; readonly body: MultipartReplyBody }
  | { readonly kind: 'list'; readonly list: MultipartReplySource }
  /** From the datapath, part by part; `decode` makes a list of each. */
  | {
      readonly kind: 'parts';
      readonly query: Uint8Array;
      readonly decode: (data: Uint8Array) => MultipartReplySource;
      /** Where there is a shorter way to the messages of a part. */
      readonly messages?: ((data: Uint8Array) => Iterable<Uint8Array>) | undefined;
    };

const error = (value: OfError): Answer => ({ kind: 'error', error: value });

export class Statistics {
  readonly #datapath: Datapath;
  readonly #ports: PortTable;
  readonly #tableSettings: TableSettings;
  readonly #description: Description;

  constructor(datapath: Datapath, ports: PortTable, tableSettings: TableSettings, description: Description) {
    this.#datapath = datapath;
    this.#ports = ports;
    this.#tableSettings = tableSettings;
    this.#description = description;
  }

  answer(request: MultipartRequest): Answer {
    const { body } = request;
    switch (body.type) {
      case 'desc':
        return { kind: 'body', body: describe(this.#description) };
      case 'flow':
      case 'aggregate':
        return this.#flows(body, request);
      case 'table':
        return { kind: 'list', list: this.#tables(request.version) };
      case 'port_stats':
        return this.#portStats(body.portNo);
      case 'port_desc':
        return this.#portDesc(body.portNo ?? ReservedPort.any, request.version);
      case 'queue':
      case 'queue_desc':
        return this.#queues(body.type, body.portNo, body.queueId);
      case 'group':
      case 'group_desc':
        return this.#groups(body.type, body.groupId ?? OFPG.ALL, request.version);
      case 'group_features':
        return { kind: 'body', body: groupFeatures(request.version) };
      case 'meter':
      case 'meter_config':
        return this.#meters(body.type, body.meterId);
      case 'meter_features':
        return { kind: 'body', body: meterFeatures(request.version) };
      case 'table_features':
        return {
          kind: 'list',
          list: { type: 'table_features', entries: tableFeatures(request.version, this.#tableSettings) },
        };
      case 'table_desc':
        return { kind: 'list', list: { type: 'table_desc', entries: this.#tableSettings.descs() } };
      case 'flow_stats':
        return this.#flows(body, request);
      case 'nx_flow':
      case 'nx_aggregate':
        return this.#nxFlows(body, request);
      case 'nx_ipfix_bridge':
      case 'nx_ipfix_flow':
        return error(badRequest(OFPBRC.BAD_EXP_TYPE));
      case 'experimenter':
        return error(badRequest(OFPBRC.BAD_EXPERIMENTER));
      // Flow monitors are asked for elsewhere.
      case 'flow_monitor':
      case 'nx_flow_monitor':
      // Of connections, which are answered where those are known.
      case 'bundle_features':
      case 'controller_status':
      case 'unknown':
        return error(badRequest(OFPBRC.BAD_MULTIPART));
    }
  }

  #flows(body: FlowStatsRequest, head: Head): Answer {
    const { version } = head;
    if (body.tableId >= tables && body.tableId !== allTables) return error(badRequest(OFPBRC.BAD_TABLE_ID));
    const wrong = checkMatch(body.match);
    if (wrong !== undefined) return error(wrong);
    const writer = new RecordWriter(64);
    writeMatch(writer, body.match);
    const { tableId: table, cookie, cookieMask, outPort, outGroup } = body;
    const filter: Partial<QueryRecord> = { table, cookie, cookieMask, outPort, outGroup, match: writer.take() };
    if (body.type !== 'aggregate') {
      const ofFlows = (data: Uint8Array) => flowStats(data, version);
      const decode = body.type === 'flow' ? ofFlows : flowStatistics;
      const straight = body.type === 'flow' && isDumped(version);
      const messages = straight ? (data: Uint8Array) => dumpMessages(head, data) : undefined;
      return { kind: 'parts', query: encodeQuery({ query: Query.flows, ...filter }), decode, messages };
    }
    const { data } = this.#datapath.read(encodeQuery({ query: Query.aggregate, ...filter }));
    const { packets, bytes, flows } = decodeAggregateAnswer(data);
    const counts = { packetCount: packets, byteCount: bytes, flowCount: flows };
    return { kind: 'body', body: { type: 'aggregate', ...counts } };
  }

  /** The same request in the words of Open vSwitch, with the cookie among the fields of the match. */
  #nxFlows({ type, tableId, outPort, match: asked }: NxFlowStatsRequest, head: Head): Answer {
    const filter = nicira.splitCookie(asked);
    const plain = { tableId, outPort: widePort(outPort), outGroup: OFPG.ANY, ...filter };
    const answer = this.#flows({ type: type === 'nx_flow' ? 'flow' : 'aggregate', ...plain }, head);
    if (answer.kind === 'parts') return { ...answer, decode: nxFlowStats };
    if (answer.kind !== 'body' || answer.body.type !== 'aggregate') return answer;
    return { kind: 'body', body: { ...answer.body, type: 'nx_aggregate' } };
  }

  #tables(version: number): MultipartReplySource {
    const answers = decodeTableAnswers(this.#datapath.read(encodeQuery({ query: Query.tables })).data);
    const entries = this.#tableSettings.ids().map((tableId) => {
      const { active, lookups, matched } = answers[tableId]!;
      const setting = this.#tableSettings.of(tableId);
      const counts = { tableId, activeCount: active, lookupCount: lookups, matchedCount: matched };
      return { ...counts, ...legacyTableAbilities(version, setting), name: setting.name };
    });
    return { type: 'table', entries };
  }

  #portDesc(portNo: number, version: number): Answer {
    const one = this.#ports.get(portNo);
    if (portNo !== ReservedPort.any && one === undefined) return error(badRequest(OFPBRC.BAD_PORT));
    const entries = (one === undefined ? this.#ports.all() : [one]).map((port) => legacyPort(version, port));
    return { kind: 'list', list: { type: 'port_desc', entries } };
  }

  #portStats(portNo: number): Answer {
    if (portNo !== ReservedPort.any && !this.#ports.has(portNo)) return error(badRequest(OFPBRC.BAD_PORT));
    const { data } = this.#datapath.read(encodeQuery({ query: Query.ports, id: portNo }));
    return { kind: 'list', list: { type: 'port_stats', entries: decodePortAnswers(data).map(portStats) } };
  }

  /** There are no queues: all of them is none, one of them is wrong (§7.3.5.8). */
  #queues(type: 'queue' | 'queue_desc', portNo: number, queueId: number): Answer {
    if (portNo !== ReservedPort.any && !this.#ports.has(portNo)) return error(queueOpFailed(OFPQOFC.BAD_PORT));
    if (queueId !== OFPQ.ALL) return error(queueOpFailed(OFPQOFC.BAD_QUEUE));
    return { kind: 'list', list: { type, entries: [] } };
  }

  #groups(type: 'group' | 'group_desc', id: number, version: number): Answer {
    const decode = (data: Uint8Array): MultipartReplySource => {
      const answers = decodeGroupAnswers(data);
      return type === 'group' ? groupStats(answers) : groupDescs(answers, version);
    };
    return { kind: 'parts', query: encodeQuery({ query: Query.groups, id }), decode };
  }

  #meters(type: 'meter' | 'meter_config', id: number): Answer {
    const query = encodeQuery({ query: Query.meters, id: id === OFPM.ALL ? METER_ALL : id });
    if (id !== OFPM.ALL && this.#datapath.read(query).data.length === 0) {
      return error(meterModFailed(OFPMMFC.UNKNOWN_METER));
    }
    const decode = (data: Uint8Array): MultipartReplySource => {
      const answers = decodeMeterAnswers(data);
      return type === 'meter' ? meterStats(answers) : meterConfigs(answers);
    };
    return { kind: 'parts', query, decode };
  }

  /** Sends a list that is at hand, in as many messages as it takes. */
  sendList(view: ControllerView, request: MultipartRequest, list: MultipartReplySource): void {
    for (const message of encodeMultipartReply(request, sayable(request, list))) view.sendRaw(message);
  }

  /**
   * Sends a long answer: a part is read when the connection has taken the one before, and other work gets its turn in
   * between, so that a million flows neither block the loop nor stand in memory at once.
   */
  async sendParts(
    view: ControllerView,
    request: MultipartRequest,
    answer: Answer & { readonly kind: 'parts' },
  ): Promise<void> {
    for (const _ of this.parts(view, request, answer)) {
      await view.drained();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await view.drained();
  }

  /** The same in steps, each of a part. */
  *parts(view: ControllerView, request: MultipartRequest, answer: Answer & { readonly kind: 'parts' }): Steps<void> {
    let query: Uint8Array | undefined = answer.query;
    while (query !== undefined && !view.gone) {
      const part: ReturnType<Datapath['read']> = this.#datapath.read(query, READ_PART_BYTES);
      query = part.next;
      for (const message of answer.messages?.(part.data) ?? encoded(request, answer.decode(part.data))) {
        if (query !== undefined) setMore(message);
        view.sendRaw(message);
      }
      if (query !== undefined) yield;
    }
  }
}

const encoded = (request: MultipartRequest, list: MultipartReplySource): Iterable<Uint8Array> =>
  encodeMultipartReply(request, sayable(request, list));

/** OFPMPF_REPLY_MORE, whose place is the last byte of the flags. */
function setMore(message: Uint8Array): void {
  const flagsEnd = 11;
  message[flagsEnd]! |= of13.OFPMPF.REPLY_MORE;
}

function describe(description: Description): MultipartReplyBody {
  return {
    type: 'desc',
    mfrDesc: description.manufacturer,
    hwDesc: description.hardware,
    swDesc: description.software,
    serialNum: description.serial,
    dpDesc: description.datapath,
  };
}

/** Bits of the actions that a bucket may hold: all. */
const BUCKET_ACTIONS = [0, 11, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27].reduce(
  (bits, n) => bits | (1 << n),
  0,
);

/** OFPAT_METER */
const METER_BIT = 1 << 29;

/** 1.1 has 25 actions, numbered otherwise (1.1.0 §A.2.5). */
const ACTIONS_11 = 0x1ffffff;

function bucketActions(version: number): number {
  if (version <= OF11) return version === OF10 ? ACTIONS_10 : ACTIONS_11;
  return version >= OF15 ? BUCKET_ACTIONS | METER_BIT : BUCKET_ACTIONS;
}

function groupFeatures(version: number): MultipartReplyBody {
  const actions = bucketActions(version);
  return {
    type: 'group_features',
    types: 0b1111,
    capabilities: OFPGFC.SELECT_WEIGHT | OFPGFC.SELECT_LIVENESS | OFPGFC.CHAINING | OFPGFC.CHAINING_CHECKS,
    maxGroups: [GROUPS_MAX, GROUPS_MAX, GROUPS_MAX, GROUPS_MAX],
    actions: [actions, actions, actions, actions],
  };
}

/** A meter may stand anywhere (1.5.1 §7.3.5.14). */
const METERS_ANYWHERE = of15.OFPMFF.ACTION_SET | of15.OFPMFF.ANY_POSITION | of15.OFPMFF.MULTI_LIST;

function meterFeatures(version: number): MultipartReplyBody {
  return {
    type: 'meter_features',
    maxMeter: METERS_MAX,
    bandTypes: (1 << OFPMBT.DROP) | (1 << OFPMBT.DSCP_REMARK),
    capabilities: OFPMF.KBPS | OFPMF.PKTPS | OFPMF.BURST | OFPMF.STATS,
    maxBands: BANDS_MAX,
    maxColor: 0,
    ...(version >= OF15 ? { features: METERS_ANYWHERE } : {}),
  };
}
