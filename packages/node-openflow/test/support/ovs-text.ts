/**
 * A decoded message in the words of ovs-ofctl, written independently of the codec: what it prints about a message must
 * be what ovs-ofctl prints about the message's bytes.
 */
import {
  type Bucket,
  formatActions,
  formatInstructions,
  formatMac,
  formatMatch,
  formatPort,
  type Match,
  type Message,
  type MeterBand,
  type MultipartReply,
  type MultipartRequest,
  type PortDesc,
} from '../../src/index.js';

const hex = (value: number | bigint, digits = 0): string => `0x${value.toString(16).padStart(digits, '0')}`;

function bits(value: number, names: readonly (string | undefined)[], none = '0'): string {
  const said = names.filter((name, bit) => name !== undefined && ((value >>> bit) & 1) !== 0);
  return said.length === 0 ? none : said.join(' ');
}

function duration(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return `${seconds}`;
  const digits = String(nanoseconds).padStart(9, '0');
  return `${seconds}.${nanoseconds % 1_000_000 === 0 ? digits.slice(0, 3) : digits.replace(/0+$/, '')}`;
}

const priorityMatch = (priority: number, match: Match): string =>
  [priority === 0x8000 ? '' : `priority=${priority}`, formatMatch(match)].filter((part) => part !== '').join(',');

const features = [
  ...['10MB-HD', '10MB-FD', '100MB-HD', '100MB-FD', '1GB-HD', '1GB-FD', '10GB-FD', '40GB-FD', '100GB-FD', '1TB-FD'],
  ...['OTHER', 'COPPER', 'FIBER', 'AUTO_NEG', 'AUTO_PAUSE', 'AUTO_PAUSE_ASYM'],
];
const portConfig = ['PORT_DOWN', undefined, 'NO_RECV', undefined, undefined, 'NO_FWD', 'NO_PACKET_IN'];
const portState = ['LINK_DOWN', 'BLOCKED', 'LIVE'];

function port(desc: PortDesc): string[] {
  const lines = [
    `${formatPort(desc.portNo)}(${desc.name}): addr:${formatMac(desc.hwAddr)}`,
    `     config:     ${bits(desc.config, portConfig)}`,
    `     state:      ${bits(desc.state, portState)}`,
  ];
  if (desc.curr !== 0) lines.push(`     current:    ${bits(desc.curr, features)}`);
  if (desc.advertised !== 0) lines.push(`     advertised: ${bits(desc.advertised, features)}`);
  if (desc.supported !== 0) lines.push(`     supported:  ${bits(desc.supported, features)}`);
  if (desc.peer !== 0) lines.push(`     peer:       ${bits(desc.peer, features)}`);
  const [now, max] = [desc.currSpeed, desc.maxSpeed].map((kbps) => Math.floor(kbps / 1000));
  lines.push(`     speed: ${now} Mbps now, ${max} Mbps max`);
  return lines;
}

const groupTypes = ['all', 'select', 'indirect', 'ff'];
const any = 0xffffffff;

function bucket(value: Bucket, select: boolean): string {
  const parts = [];
  // A weight of 1 goes without saying where there are weights.
  if (value.weight !== (select ? 1 : 0)) parts.push(`weight:${value.weight}`);
  if (value.watchPort !== any) parts.push(`watch_port:${formatPort(value.watchPort)}`);
  if (value.watchGroup !== any) parts.push(`watch_group:${value.watchGroup}`);
  parts.push(`actions=${formatActions(value.actions)}`);
  return `bucket=${parts.join(',')}`;
}

function group(groupId: number, groupType: number, buckets: readonly Bucket[]): string {
  const id = groupId === 0xfffffffc ? 'ALL' : String(groupId);
  const head = [`group_id=${id}`, `type=${groupTypes[groupType]}`];
  return [...head, ...buckets.map((value) => bucket(value, groupType === 1))].join(',');
}

const meterFlags = ['kbps', 'pktps', 'burst', 'stats'];

function meter(meterId: number, flags: number, bands: readonly MeterBand[]): string[] {
  const id = { 4294967293: 'slowpath', 4294967294: 'controller', 4294967295: 'all' }[meterId] ?? String(meterId);
  return [
    `meter=${id} ${bits(flags, meterFlags, '')} bands=`.replace('  ', ' '),
    ...bands.map((band) => {
      // The burst size is only a burst size when the flag says so.
      const burst = (flags & 4) !== 0 ? ` burst_size=${band.burstSize}` : '';
      const level = band.type === 'dscp_remark' ? ` prec_level=${band.precLevel}` : '';
      return `type=${band.type} rate=${band.rate}${burst}${level}`;
    }),
  ];
}

function flowMod(message: Extract<Message, { type: 'flow_mod' }>): string {
  const commands = ['ADD', 'MOD', 'MOD_STRICT', 'DEL', 'DEL_STRICT'];
  const parts = [commands[message.command]!];
  if (message.tableId !== 0) parts.push(`table:${message.tableId}`);
  const matched = priorityMatch(message.priority, message.match);
  if (matched !== '') parts.push(matched);
  if (message.cookieMask !== 0n) parts.push(`cookie:${hex(message.cookie)}/${hex(message.cookieMask)}`);
  else if (message.cookie !== 0n && message.command === 0) parts.push(`cookie:${hex(message.cookie)}`);
  if (message.idleTimeout !== 0) parts.push(`idle:${message.idleTimeout}`);
  if (message.hardTimeout !== 0) parts.push(`hard:${message.hardTimeout}`);
  if (message.bufferId !== any) parts.push(`buf:${hex(message.bufferId)}`);
  if (message.outPort !== any) parts.push(`out_port:${formatPort(message.outPort)}`);
  const flags = ['send_flow_rem', 'check_overlap', 'reset_counts', 'no_packet_counts', 'no_byte_counts'];
  parts.push(...bits(message.flags, flags, '').split(' ').filter(Boolean));
  return [...parts, `actions=${formatInstructions(message.instructions)}`].join(' ');
}

const rolesByNumber = ['nochange', 'equal', 'primary', 'secondary'];
/** A request that changes nothing has no use for the generation. */
function role(message: Extract<Message, { type: 'role_request' | 'role_reply' }>): string {
  const plain = message.role === 0 && message.type === 'role_request';
  return `role=${rolesByNumber[message.role]}${plain ? '' : ` generation_id=${message.generationId}`}`;
}

function asyncMasks(message: Extract<Message, { type: 'set_async' | 'get_async_reply' }>): string[] {
  const off = '(off)';
  return ['primary', 'secondary'].flatMap((name, i) => [
    `${i === 0 ? '' : '\n'} ${name}:`,
    `       PACKET_IN: ${bits(message.packetInMask?.[i] ?? 0, ['no_match', 'action', 'invalid_ttl'], off)}`,
    `     PORT_STATUS: ${bits(message.portStatusMask?.[i] ?? 0, ['add', 'delete', 'modify'], off)}`,
    `    FLOW_REMOVED: ${bits(message.flowRemovedMask?.[i] ?? 0, ['idle', 'hard', 'delete', 'group_delete'], off)}`,
    '     ROLE_STATUS: (off)',
    '    TABLE_STATUS: (off)',
    '  REQUESTFORWARD: (off)',
  ]);
}

/** What stands behind 'OFPT_… (OF1.3) (xid=…):'; of packets and payloads only the first line. */
function body(message: Message): string {
  switch (message.type) {
    case 'hello': {
      const versions = message.elements.flatMap((element) =>
        element.type === 'versionbitmap'
          ? Array.from({ length: 31 }, (_, bit) => bit).filter((bit) => ((element.bitmaps[0]! >>> bit) & 1) !== 0)
          : [],
      );
      return `\n version bitmap: ${versions.map((version) => hex(version, 2)).join(', ')}`;
    }
    case 'echo_request':
    case 'echo_reply':
      return ` ${message.data.length} bytes of payload`;
    case 'features_reply': {
      const capabilities = ['FLOW_STATS', 'TABLE_STATS', 'PORT_STATS', 'GROUP_STATS', undefined, 'IP_REASM'];
      const names = bits(message.capabilities, [...capabilities, 'QUEUE_STATS', undefined, 'PORT_BLOCKED']);
      const auxiliary = message.auxiliaryId === 0 ? '' : `, auxiliary_id:${message.auxiliaryId}`;
      return [
        ` dpid:${message.datapathId.toString(16).padStart(16, '0')}`,
        `n_tables:${message.nTables}, n_buffers:${message.nBuffers}${auxiliary}`,
        `capabilities: ${names}`,
      ].join('\n');
    }
    case 'get_config_reply':
    case 'set_config':
      return ` frags=${['normal', 'drop', 'reassemble'][message.flags & 3]} miss_send_len=${message.missSendLen}`;
    case 'packet_in': {
      const reason = ['no_match', 'action', 'invalid_ttl'][message.reason];
      const buffer = message.bufferId === any ? '(unbuffered)' : `buffer=${hex(message.bufferId, 8)}`;
      const table = message.tableId === 0 ? '' : `table_id=${message.tableId} `;
      const cookie = message.cookie === 0xffff_ffff_ffff_ffffn ? '' : `cookie=${hex(message.cookie)} `;
      const sizes = `data_len=${message.data.length} ${buffer}`;
      return ` ${table}${cookie}total_len=${message.totalLen} ${formatMatch(message.match)} (via ${reason}) ${sizes}`;
    }
    case 'packet_out': {
      const size = message.bufferId === any ? `data_len=${message.data.length}` : `buffer=${hex(message.bufferId, 8)}`;
      return ` in_port=${formatPort(message.inPort)} actions=${formatActions(message.actions)} ${size}`;
    }
    case 'flow_removed': {
      const reason = ['idle', 'hard', 'delete', 'group_delete'][message.reason];
      const matched = priorityMatch(message.priority, message.match);
      const parts = [matched, `reason=${reason}`];
      if (message.tableId !== 255) parts.push(`table_id=${message.tableId}`);
      if (message.cookie !== 0n) parts.push(`cookie:${hex(message.cookie)}`);
      parts.push(`duration${duration(message.durationSec, message.durationNsec)}s`, `idle${message.idleTimeout}`);
      if (message.hardTimeout !== 0) parts.push(`hard${message.hardTimeout}`);
      parts.push(`pkts${message.packetCount}`, `bytes${message.byteCount}`);
      return ` ${parts.join(' ')}`;
    }
    case 'port_status':
      return ` ${['ADD', 'DEL', 'MOD'][message.reason]}: ${port(message.port).join('\n')}`;
    case 'flow_mod':
      return ` ${flowMod(message)}`;
    case 'group_mod':
      return `\n ${['ADD', 'MOD', 'DEL'][message.command]} ${group(message.groupId, message.groupType, message.buckets)}`;
    case 'port_mod':
      return [
        ` port: ${formatPort(message.portNo)}: addr:${formatMac(message.hwAddr)}`,
        `     config: ${bits(message.config, portConfig)}`,
        `     mask:   ${bits(message.mask, portConfig)}`,
        `     advertise: ${message.advertise === 0 ? 'UNCHANGED' : bits(message.advertise, features)}`,
      ].join('\n');
    case 'table_mod':
      return message.tableId === 255 ? ' table_id: ALL_TABLES' : ` table_id=${message.tableId}`;
    case 'meter_mod': {
      const command = ['ADD', 'MOD', 'DEL'][message.command];
      return ` ${command} ${meter(message.meterId, message.flags, message.bands).join('\n')}`;
    }
    case 'queue_get_config_request':
      return ` port=${formatPort(message.port)}`;
    case 'queue_get_config_reply':
      return [
        ` port=${formatPort(message.port)}`,
        // Sorted by ovs-ofctl, whatever their order in the message.
        ...[...message.queues]
          .sort((a, b) => a.queueId - b.queueId)
          .map((queue) => {
            const rates = queue.properties.map((property) =>
              'rate' in property ? ` ${property.type}:${(property.rate / 10).toFixed(1)}%` : '',
            );
            return `queue ${queue.queueId}:${rates.join('')}`;
          }),
      ].join('\n');
    case 'role_request':
    case 'role_reply':
      return ` ${role(message)}`;
    case 'get_async_reply':
    case 'set_async':
      return `\n${asyncMasks(message).join('\n')}`;
    default:
      return '';
  }
}

function requestBody({ body }: MultipartRequest): string {
  switch (body.type) {
    case 'flow':
    case 'aggregate': {
      const parts = [];
      if (body.tableId !== 255) parts.push(`table=${body.tableId}`);
      if (body.outPort !== any) parts.push(`out_port=${formatPort(body.outPort)}`);
      return [...parts, formatMatch(body.match)].map((part) => ` ${part}`).join('');
    }
    case 'port_stats':
      return ` port_no=${formatPort(body.portNo)}`;
    case 'queue':
      return ` port=${formatPort(body.portNo)} queue=${body.queueId === any ? 'ALL' : body.queueId}`;
    case 'group':
      return ` group_id=${body.groupId === 0xfffffffc ? 'ALL' : body.groupId}`;
    case 'meter':
    case 'meter_config':
      return ` meter=${body.meterId === any ? 'all' : body.meterId}`;
    // ovs-ofctl names defaults that are not in the bytes of 1.3.
    case 'group_desc':
      return ' group_id=ALL';
    case 'port_desc':
      return ' port=ANY';
    default:
      return '';
  }
}

const unknownCount = 0xffff_ffff_ffff_ffffn;
const count = (value: bigint): string => (value === unknownCount ? '?' : String(value));

function replyBody({ body }: MultipartReply): string {
  switch (body.type) {
    case 'desc':
      return [
        '',
        `Manufacturer: ${body.mfrDesc}`,
        `Hardware: ${body.hwDesc}`,
        `Software: ${body.swDesc}`,
        `Serial Num: ${body.serialNum}`,
        `DP Description: ${body.dpDesc}`,
      ].join('\n');
    case 'flow':
      return body.entries
        .map((flow) => {
          const flags = ['send_flow_rem', 'check_overlap', 'reset_counts', 'no_packet_counts', 'no_byte_counts'];
          const parts = [
            `cookie=${hex(flow.cookie)}, duration=${duration(flow.durationSec, flow.durationNsec)}s, table=${flow.tableId}`,
            `n_packets=${flow.packetCount}, n_bytes=${flow.byteCount}`,
          ];
          if (flow.idleTimeout !== 0) parts.push(`idle_timeout=${flow.idleTimeout}`);
          if (flow.hardTimeout !== 0) parts.push(`hard_timeout=${flow.hardTimeout}`);
          const said = bits(flow.flags, flags, '');
          const matched = priorityMatch(flow.priority, flow.match);
          const tail = [said, matched, `actions=${formatInstructions(flow.instructions)}`];
          return `\n ${[...parts, tail.filter((part) => part !== '').join(' ')].join(', ')}`;
        })
        .join('');
    case 'aggregate':
      return ` packet_count=${body.packetCount} byte_count=${body.byteCount} flow_count=${body.flowCount}`;
    case 'table':
      return body.entries
        .map(
          (table) =>
            `\n  table ${table.tableId}:\n    active=${table.activeCount}, lookup=${table.lookupCount}, matched=${table.matchedCount}`,
        )
        .join('\n');
    case 'port_stats':
      return [
        ` ${body.entries.length} ports`,
        ...body.entries.flatMap((stats) => [
          `  port ${formatPort(stats.portNo).padStart(2)}: rx pkts=${count(stats.rxPackets)}, bytes=${count(stats.rxBytes)}, drop=${count(stats.rxDropped)}, errs=${count(stats.rxErrors)}, frame=${count(stats.rxFrameErr)}, over=${count(stats.rxOverErr)}, crc=${count(stats.rxCrcErr)}`,
          `           tx pkts=${count(stats.txPackets)}, bytes=${count(stats.txBytes)}, drop=${count(stats.txDropped)}, errs=${count(stats.txErrors)}, coll=${count(stats.collisions)}`,
          `           duration=${duration(stats.durationSec, stats.durationNsec)}s`,
        ]),
      ].join('\n');
    case 'queue':
      return [
        ` ${body.entries.length} queues`,
        ...body.entries.map(
          (queue) =>
            `  port ${formatPort(queue.portNo)} queue ${queue.queueId === any ? 'ALL' : queue.queueId}: bytes=${count(queue.txBytes)}, pkts=${count(queue.txPackets)}, errors=${count(queue.txErrors)}, duration=${duration(queue.durationSec, queue.durationNsec)}s`,
        ),
      ].join('\n');
    case 'group':
      return body.entries
        .map((stats) => {
          const parts = [
            `group_id=${stats.groupId},duration=${duration(stats.durationSec, stats.durationNsec)}s`,
            `ref_count=${stats.refCount},packet_count=${stats.packetCount},byte_count=${stats.byteCount}`,
            // A bucket without a count is left away.
            ...stats.buckets.flatMap((one, i) =>
              one.packetCount === unknownCount
                ? []
                : [`bucket${i}:packet_count=${one.packetCount},byte_count=${one.byteCount}`],
            ),
          ];
          return `\n ${parts.join(',')}`;
        })
        .join('');
    case 'group_desc':
      return body.entries.map((desc) => `\n ${group(desc.groupId, desc.groupType, desc.buckets)}`).join('');
    case 'group_features': {
      const names: (string | undefined)[] = new Array(28).fill(undefined);
      for (const [code, name] of Object.entries({
        0: 'output',
        11: undefined,
        15: 'set_mpls_ttl',
        16: 'dec_mpls_ttl',
        17: 'push_vlan',
        18: 'strip_vlan',
        19: 'push_mpls',
        20: 'pop_mpls',
        21: 'set_queue',
        22: 'group',
        23: 'mod_nw_ttl',
        24: 'dec_ttl',
        25: 'set_field',
      })) {
        names[Number(code)] = name;
      }
      return [
        '',
        ' Group table:',
        `    Types:  ${hex(body.types)}`,
        `    Capabilities:  ${hex(body.capabilities)}`,
        ...['all', 'select', 'indirect', 'fast failover'].flatMap((name, i) =>
          ((body.types >>> i) & 1) === 0
            ? []
            : [
                `    ${name} group:`,
                `       max_groups=${body.maxGroups[i] === 0 ? 0 : hex(body.maxGroups[i]!)}`,
                `       actions: ${bits(body.actions[i]!, names, '<none>')}`,
              ],
        ),
      ].join('\n');
    }
    case 'meter':
      return body.entries
        .map((stats) => {
          const head = `meter:${stats.meterId} flow_count:${stats.flowCount} packet_in_count:${stats.packetInCount} byte_in_count:${stats.byteInCount} duration:${duration(stats.durationSec, stats.durationNsec)}s bands:`;
          const bands = stats.bands.map(
            (one, i) => `\n${i}: packet_count:${one.packetCount} byte_count:${one.byteCount}`,
          );
          return `\n${head}${bands.join('')}`;
        })
        .join('\n');
    case 'meter_config':
      return body.entries
        .map((config) => `\n${meter(config.meterId, config.flags, config.bands).join('\n')}`)
        .join('\n');
    case 'meter_features':
      return [
        '',
        `max_meter:${body.maxMeter} max_bands:${body.maxBands} max_color:${body.maxColor}`,
        `band_types: ${bits(body.bandTypes, [undefined, 'drop', 'dscp_remark'])}`,
        `capabilities: ${bits(body.capabilities, meterFlags)}`,
      ].join('\n');
    case 'port_desc':
      return [...body.entries]
        .sort((a, b) => a.portNo - b.portNo)
        .map((desc) => `\n ${port(desc).join('\n')}`)
        .join('');
    default:
      return '';
  }
}

const multipartNames: Readonly<Record<string, string>> = { port_stats: 'PORT' };

/** The whole text ovs-ofctl should print, as far as it depends on the message alone. */
export function ovsText(message: Message): string {
  const tail = (name: string, text: string): string => `${name} (OF1.3) (xid=${hex(message.xid)}):${text}`;
  if (message.type === 'multipart_request' || message.type === 'multipart_reply') {
    const name = multipartNames[message.body.type] ?? message.body.type.toUpperCase();
    const more = message.type === 'multipart_reply' && (message.flags & 1) !== 0 ? ' flags=[more]' : '';
    const side = message.type === 'multipart_request' ? 'request' : 'reply';
    const text = message.type === 'multipart_request' ? requestBody(message) : replyBody(message);
    return tail(`OFPST_${name} ${side}`, `${more}${text}`);
  }
  return tail(`OFPT_${message.type.toUpperCase()}`, body(message)).replace(/[ \t]+$/gm, '');
}
