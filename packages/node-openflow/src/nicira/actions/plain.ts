/** Actions that are nothing, or one number. */
import type {
  NxEthertype,
  NxGroup,
  NxPlain,
  NxSetMpls,
  NxSetQueue,
  NxSetTunnel,
  NxSetTunnel64,
} from '../action-types.js';
import type { NiciraCodec } from './codec.js';

const only10 = { until: 1 } as const;

function plain(
  subtype: number,
  type: NxPlain['type'],
  limits: { since?: number; until?: number } = {},
): NiciraCodec<NxPlain> {
  return {
    subtype,
    type,
    ...limits,
    decode(r) {
      r.skip(6);
      return { type };
    },
    encode: (w) => w.zero(6),
  };
}

const setTunnel: NiciraCodec<NxSetTunnel> = {
  subtype: 2,
  type: 'nx_set_tunnel',
  decode(r) {
    r.skip(2);
    return { type: 'nx_set_tunnel', tunnelId: r.u32() };
  },
  encode(w, action) {
    w.zero(2);
    w.u32(action.tunnelId);
  },
};

const setTunnel64: NiciraCodec<NxSetTunnel64> = {
  subtype: 9,
  type: 'nx_set_tunnel64',
  decode(r) {
    r.skip(6);
    return { type: 'nx_set_tunnel64', tunnelId: r.u64() };
  },
  encode(w, action) {
    w.zero(6);
    w.u64(action.tunnelId);
  },
};

const setQueue: NiciraCodec<NxSetQueue> = {
  subtype: 4,
  type: 'nx_set_queue',
  ...only10,
  decode(r) {
    r.skip(2);
    return { type: 'nx_set_queue', queueId: r.u32() };
  },
  encode(w, action) {
    w.zero(2);
    w.u32(action.queueId);
  },
};

const group: NiciraCodec<NxGroup> = {
  subtype: 40,
  type: 'nx_group',
  ...only10,
  decode(r) {
    r.skip(2);
    return { type: 'nx_group', groupId: r.u32() };
  },
  encode(w, action) {
    w.zero(2);
    w.u32(action.groupId);
  },
};

function ethertype(subtype: number, type: NxEthertype['type']): NiciraCodec<NxEthertype> {
  return {
    subtype,
    type,
    ...only10,
    decode(r) {
      const value = r.u16();
      r.skip(4);
      return { type, ethertype: value };
    },
    encode(w, action) {
      w.u16(action.ethertype);
      w.zero(4);
    },
  };
}

/** One byte and five of padding. */
function mplsByte(subtype: number, type: 'nx_set_mpls_tc' | 'nx_set_mpls_ttl'): NiciraCodec<NxSetMpls> {
  return {
    subtype,
    type,
    ...only10,
    decode(r) {
      const value = r.u8();
      r.skip(5);
      return { type, value };
    },
    encode(w, action) {
      w.u8(action.value);
      w.zero(5);
    },
  };
}

const mplsLabel: NiciraCodec<NxSetMpls> = {
  subtype: 30,
  type: 'nx_set_mpls_label',
  ...only10,
  decode(r) {
    r.skip(2);
    return { type: 'nx_set_mpls_label', value: r.u32() };
  },
  encode(w, action) {
    w.zero(2);
    w.u32(action.value);
  },
};

export const plainActions: readonly NiciraCodec[] = [
  setTunnel,
  setTunnel64,
  setQueue,
  group,
  ethertype(23, 'nx_push_mpls'),
  ethertype(24, 'nx_pop_mpls'),
  mplsByte(25, 'nx_set_mpls_ttl'),
  mplsByte(31, 'nx_set_mpls_tc'),
  mplsLabel,
  plain(5, 'nx_pop_queue'),
  plain(17, 'nx_exit'),
  plain(18, 'nx_dec_ttl', only10),
  plain(26, 'nx_dec_mpls_ttl', only10),
  plain(43, 'nx_ct_clear'),
  plain(48, 'nx_dec_nsh_ttl', { since: 4 }),
  plain(254, 'nx_debug_slow'),
  plain(255, 'nx_debug_recirc'),
] as readonly NiciraCodec[];
