/** OpenFlow 1.1 as tables: the one place that lists its messages and statistics. */
import { match11 } from '../codec/match11.js';
import { noTable } from '../codec/no-structures.js';
import { ports32 } from '../codec/port-numbers.js';
import {
  type Codec,
  extensionsOf,
  type MessageCodec,
  type MultipartCodec,
  type Protocol,
  tableOf,
} from '../codec/protocol.js';
import { symmetricMessages } from '../codec/symmetric.js';
import { getConfigReply, setConfig } from '../messages/config.js';
import { barrierReply, barrierRequest, featuresRequest, getConfigRequest } from '../messages/empty.js';
import { vendor } from '../messages/experimenter.js';
import { featuresReply11 } from '../messages/features.js';
import { flowMod11 } from '../messages/flow-mod.js';
import { flowRemoved11 } from '../messages/flow-removed.js';
import { groupMod } from '../messages/group-mod.js';
import { multipartReply, multipartRequest } from '../messages/multipart.js';
import { packetIn11 } from '../messages/packet-in.js';
import { packetOut } from '../messages/packet-out.js';
import { portMod, portStatus } from '../messages/port.js';
import { queueGetConfigReply11, queueGetConfigRequest } from '../messages/queue-config.js';
import { tableMod } from '../messages/table-mod.js';
import { desc } from '../multipart/desc.js';
import { vendorMultipart } from '../multipart/experimenter.js';
import { aggregate, flow11 } from '../multipart/flow.js';
import { group11, groupDesc } from '../multipart/group.js';
import { portStats10 } from '../multipart/port.js';
import { queue10 } from '../multipart/queue.js';
import { table11 } from '../multipart/table.js';
import { niciraActions } from '../nicira/actions/index.js';
import { niciraMessages } from '../nicira/messages/index.js';
import { niciraMultiparts } from '../nicira/multiparts.js';
import { withNicira } from '../nicira/oxm-table.js';
import { oxmFieldsOnf13 } from '../of15/oxm-fields.js';
import { sharedActions } from '../structures/actions.js';
import { buckets11 } from '../structures/buckets.js';
import { instructions11 } from '../structures/instructions.js';
import { legacyActions, setTpDst, setTpSrc, setters11, setVlanPcp, setVlanVid } from '../structures/legacy-actions.js';
import { resolveTransport } from '../structures/legacy-flows.js';
import { port11 } from '../structures/ports.js';
import { queueProperties10 } from '../structures/queue-properties.js';
import type { Action } from '../types/action.js';

/** ofp_type (OpenFlow 1.1.0 §A.1). */
const messages = tableOf<MessageCodec>([
  ...symmetricMessages.list,
  vendor,
  featuresRequest,
  featuresReply11,
  getConfigRequest,
  getConfigReply,
  setConfig,
  packetIn11,
  flowRemoved11,
  portStatus,
  packetOut,
  flowMod11,
  groupMod,
  portMod,
  tableMod,
  multipartRequest,
  multipartReply,
  barrierRequest,
  barrierReply,
  queueGetConfigRequest,
  queueGetConfigReply11,
]);

/** ofp_stats_types (§A.3.6). */
const multiparts = tableOf<MultipartCodec>([
  desc,
  flow11,
  aggregate,
  table11,
  portStats10,
  queue10,
  group11,
  groupDesc,
  vendorMultipart,
]);

/** ofp_action_type (§A.2.5); the two of 1.0 about VLANs are written as 1.1's, which are read as set_field. */
const others: readonly Codec<Action>[] = [...sharedActions, setTpSrc, setTpDst];

export const protocol11: Protocol = {
  version: 2,
  messages,
  multiparts,
  actions: legacyActions('OpenFlow 1.1', others, setters11, [setVlanVid, setVlanPcp]),
  instructions: instructions11,
  bands: noTable,
  queueProperties: queueProperties10,
  tableFeatureProperties: noTable,
  oxm: withNicira(oxmFieldsOnf13),
  match: match11,
  port: port11,
  portNumbers: ports32,
  buckets: buckets11,
  multipartPadding: 4,
  setFieldMask: false,
  extensions: {
    messages: extensionsOf([...niciraMessages(2)]),
    multiparts: extensionsOf([...niciraMultiparts(2)]),
    actions: extensionsOf([...niciraActions(2)]),
  },
  resolve: resolveTransport,
};
