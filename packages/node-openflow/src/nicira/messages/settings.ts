/** Messages that set up a connection, and the table of tunnel options. */
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type {
  NxFlowModTableId,
  NxFlowMonitorCancel,
  NxPlainMessage,
  NxRole,
  NxSetAsyncConfig,
  NxSetAsyncConfig2,
  NxSetControllerId,
  NxSetFormat,
  NxTlvTableMod,
  NxTlvTableReply,
  TlvMap,
} from '../message-types.js';
import type { NiciraMessageCodec } from './codec.js';

function plain(subtype: number, type: NxPlainMessage['type'], until?: number): NiciraMessageCodec<NxPlainMessage> {
  return {
    subtype,
    type,
    ...(until === undefined ? {} : { until }),
    decode: (_r, { version, xid }) => ({ version, xid, type }),
    encode() {},
  };
}

const role = (subtype: number, type: NxRole['type']): NiciraMessageCodec<NxRole> => ({
  subtype,
  type,
  decode: (r, { version, xid }) => ({ version, xid, type, role: r.u32() }),
  encode: (w, message) => w.u32(message.role),
});

const format = (subtype: number, type: NxSetFormat['type'], until: number): NiciraMessageCodec<NxSetFormat> => ({
  subtype,
  type,
  until,
  decode: (r, { version, xid }) => ({ version, xid, type, format: r.u32() }),
  encode: (w, message) => w.u32(message.format),
});

const flowModTableId: NiciraMessageCodec<NxFlowModTableId> = {
  subtype: 15,
  type: 'nx_flow_mod_table_id',
  decode(r, { version, xid }) {
    const enabled = r.u8() !== 0;
    r.skip(7);
    return { version, xid, type: 'nx_flow_mod_table_id', enabled };
  },
  encode(w, message) {
    w.u8(message.enabled ? 1 : 0);
    w.zero(7);
  },
};

const asyncConfig: NiciraMessageCodec<NxSetAsyncConfig> = {
  subtype: 19,
  type: 'nx_set_async_config',
  decode: (r, { version, xid }) => ({
    version,
    xid,
    type: 'nx_set_async_config',
    packetInMask: [r.u32(), r.u32()],
    portStatusMask: [r.u32(), r.u32()],
    flowRemovedMask: [r.u32(), r.u32()],
  }),
  encode(w, message) {
    for (const mask of [...message.packetInMask, ...message.portStatusMask, ...message.flowRemovedMask]) w.u32(mask);
  },
};

const reasonsLength = 8;

const asyncConfig2: NiciraMessageCodec<NxSetAsyncConfig2> = {
  subtype: 27,
  type: 'nx_set_async_config2',
  until: 4,
  decode(r, { version, xid }) {
    const properties: { code: number; mask: number }[] = [];
    while (r.remaining > 0) {
      const item = r.sized(2);
      if (item.remaining !== reasonsLength) throw item.lengthError(`async property of ${item.remaining} bytes`);
      const code = item.u16();
      item.skip(2);
      properties.push({ code, mask: item.u32() });
    }
    return { version, xid, type: 'nx_set_async_config2', properties };
  },
  encode(w, message) {
    for (const { code, mask } of message.properties) {
      w.u16(code);
      w.u16(reasonsLength);
      w.u32(mask);
    }
  },
};

const controllerId: NiciraMessageCodec<NxSetControllerId> = {
  subtype: 20,
  type: 'nx_set_controller_id',
  decode(r, { version, xid }) {
    r.skip(6);
    return { version, xid, type: 'nx_set_controller_id', controllerId: r.u16() };
  },
  encode(w, message) {
    w.zero(6);
    w.u16(message.controllerId);
  },
};

const monitorCancel: NiciraMessageCodec<NxFlowMonitorCancel> = {
  subtype: 21,
  type: 'nx_flow_monitor_cancel',
  until: 3,
  decode: (r, { version, xid }) => ({ version, xid, type: 'nx_flow_monitor_cancel', id: r.u32() }),
  encode: (w, message) => w.u32(message.id),
};

function decodeMaps(r: WireReader): TlvMap[] {
  const maps: TlvMap[] = [];
  while (r.remaining > 0) {
    maps.push({ optionClass: r.u16(), optionType: r.u8(), optionLength: r.u8(), index: r.u16() });
    r.skip(2);
  }
  return maps;
}

function encodeMaps(w: WireWriter, maps: readonly TlvMap[]): void {
  for (const map of maps) {
    w.u16(map.optionClass);
    w.u8(map.optionType);
    w.u8(map.optionLength);
    w.u16(map.index);
    w.zero(2);
  }
}

const tlvTableMod: NiciraMessageCodec<NxTlvTableMod> = {
  subtype: 24,
  type: 'nx_tlv_table_mod',
  decode(r, { version, xid }) {
    const command = r.u16();
    r.skip(6);
    return { version, xid, type: 'nx_tlv_table_mod', command, mappings: decodeMaps(r) };
  },
  encode(w, message) {
    w.u16(message.command);
    w.zero(6);
    encodeMaps(w, message.mappings);
  },
};

const tlvTableReply: NiciraMessageCodec<NxTlvTableReply> = {
  subtype: 26,
  type: 'nx_tlv_table_reply',
  decode(r, { version, xid }) {
    const maxOptionSpace = r.u32();
    const maxFields = r.u16();
    r.skip(10);
    return { version, xid, type: 'nx_tlv_table_reply', maxOptionSpace, maxFields, mappings: decodeMaps(r) };
  },
  encode(w, message) {
    w.u32(message.maxOptionSpace);
    w.u16(message.maxFields);
    w.zero(10);
    encodeMaps(w, message.mappings);
  },
};

export const settingMessages: readonly NiciraMessageCodec[] = [
  role(10, 'nx_role_request'),
  role(11, 'nx_role_reply'),
  format(12, 'nx_set_flow_format', 1),
  format(16, 'nx_set_packet_in_format', 0xff),
  flowModTableId,
  asyncConfig,
  asyncConfig2,
  controllerId,
  plain(18, 'nx_flow_age'),
  monitorCancel,
  plain(22, 'nx_flow_monitor_paused', 3),
  plain(23, 'nx_flow_monitor_resumed', 3),
  tlvTableMod,
  plain(25, 'nx_tlv_table_request'),
  tlvTableReply,
] as readonly NiciraMessageCodec[];
