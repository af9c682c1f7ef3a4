/** What Nicira's messages set up of a connection (nicira-ext.h of Open vSwitch). */
import {
  type AsyncChanges,
  type Message,
  type NxSetAsyncConfig2,
  neutralPair,
  nicira,
  of13,
  of14,
} from 'node-openflow';
import { badRequest, type OfError } from '../ofproto/of-error.js';
import { OF14 } from '../ofproto/versions.js';
import { isKnown } from './async-masks.js';
import type { ControllerState } from './controller-state.js';

const { NXFF, NXPIF } = nicira;
const { OFPBRC } = of13;
const unsupported: OfError = { type: of14.OFPET.ASYNC_CONFIG_FAILED, code: of14.OFPACFC.UNSUPPORTED };

/** By half the property's number; the lower of two is a slave's. */
const maskNames = [
  'packetInMask',
  'portStatusMask',
  'flowRemovedMask',
  'roleStatusMask',
  'tableStatusMask',
  'requestforwardMask',
] as const;

function changesOf({ properties }: NxSetAsyncConfig2): AsyncChanges | OfError {
  const changes: Partial<Record<(typeof maskNames)[number], [number | undefined, number | undefined]>> = {};
  for (const { code, mask } of properties) {
    const name = maskNames[code >>> 1];
    if (name === undefined) return unsupported;
    const pair = changes[name] ?? [undefined, undefined];
    pair[code & 1 ? 0 : 1] = mask;
    changes[name] = pair;
  }
  return changes;
}

/** Takes such a message; returns why it is refused, undefined when it is done, 'other' when it is none of these. */
export function applySetting(state: ControllerState, message: Message): OfError | undefined | 'other' {
  switch (message.type) {
    case 'nx_set_flow_format':
      if (message.format !== NXFF.OPENFLOW10 && message.format !== NXFF.NXM) return badRequest(OFPBRC.EPERM);
      state.flowFormat = { ...state.flowFormat, nxm: message.format === NXFF.NXM };
      return undefined;
    case 'nx_flow_mod_table_id':
      state.flowFormat = { ...state.flowFormat, tableIds: message.enabled };
      return undefined;
    case 'nx_set_packet_in_format':
      if (message.format > NXPIF.NXT_PACKET_IN2) return badRequest(OFPBRC.EPERM);
      state.packetInFormat = message.format;
      return undefined;
    case 'nx_set_controller_id':
      state.controllerId = message.controllerId;
      return undefined;
    case 'nx_set_async_config': {
      const { packetInMask, portStatusMask, flowRemovedMask } = message;
      state.setMasks(message.version, { packetInMask, portStatusMask, flowRemovedMask });
      return undefined;
    }
    case 'nx_set_async_config2': {
      const changes = changesOf(message);
      if ('code' in changes) return changes as OfError;
      if (!isKnown(OF14, changes)) return neutralPair('OFPACFC_INVALID');
      state.setMasks(message.version, changes);
      return undefined;
    }
    // Statistics are counted in the data plane: there is nothing to be brought up to date.
    case 'nx_flow_age':
      return undefined;
    default:
      return 'other';
  }
}
