/** OpenFlow 1.0 as tables: the one place that lists its messages and statistics. */
import { match10 } from '../codec/match10.js';
import { noTable } from '../codec/no-structures.js';
import { ports16 } from '../codec/port-numbers.js';
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
import { barrierReply10, barrierRequest10, featuresRequest, getConfigRequest } from '../messages/empty.js';
import { vendor } from '../messages/experimenter.js';
import { featuresReply10 } from '../messages/features.js';
import { flowMod10 } from '../messages/flow-mod.js';
import { flowRemoved10 } from '../messages/flow-removed.js';
import { statsReply10, statsRequest10 } from '../messages/multipart.js';
import { packetIn10 } from '../messages/packet-in.js';
import { packetOut10 } from '../messages/packet-out.js';
import { portMod10, portStatus } from '../messages/port.js';
import { queueGetConfigReply10, queueGetConfigRequest10 } from '../messages/queue-config.js';
import { desc } from '../multipart/desc.js';
import { vendorMultipart } from '../multipart/experimenter.js';
import { aggregate10, flow10 } from '../multipart/flow10.js';
import { portStats10 } from '../multipart/port.js';
import { queue10 } from '../multipart/queue.js';
import { table10 } from '../multipart/table.js';
import { niciraActions } from '../nicira/actions/index.js';
import { niciraGroupMod } from '../nicira/messages/group-mod.js';
import { niciraMessages } from '../nicira/messages/index.js';
import { niciraMultiparts } from '../nicira/multiparts.js';
import { withNicira } from '../nicira/oxm-table.js';
import { oxmFieldsOnf13 } from '../of15/oxm-fields.js';
import { vendorAction } from '../structures/actions.js';
import { buckets15 } from '../structures/buckets.js';
import {
  enqueue,
  legacyActions,
  output10,
  setTpDst,
  setTpSrc,
  setters10,
  setVlanPcp,
  setVlanVid,
  stripVlan,
  vlanWriters10,
} from '../structures/legacy-actions.js';
import { port10 } from '../structures/ports.js';
import { queueProperties10 } from '../structures/queue-properties.js';
import type { Action } from '../types/action.js';

/** ofp_type (OpenFlow 1.0.2 §5.1). */
const messages = tableOf<MessageCodec>([
  ...symmetricMessages.list,
  vendor,
  featuresRequest,
  featuresReply10,
  getConfigRequest,
  getConfigReply,
  setConfig,
  packetIn10,
  flowRemoved10,
  portStatus,
  packetOut10,
  flowMod10,
  portMod10,
  statsRequest10,
  statsReply10,
  barrierRequest10,
  barrierReply10,
  queueGetConfigRequest10,
  queueGetConfigReply10,
]);

/** ofp_stats_types (§5.3.5). */
const multiparts = tableOf<MultipartCodec>([desc, flow10, aggregate10, table10, portStats10, queue10, vendorMultipart]);

/** ofp_action_type (§5.2.4). */
const others: readonly Codec<Action>[] = [
  output10,
  setVlanVid,
  setVlanPcp,
  stripVlan,
  setTpSrc,
  setTpDst,
  enqueue,
  vendorAction,
];

export const protocol10: Protocol = {
  version: 1,
  messages,
  multiparts,
  actions: legacyActions('OpenFlow 1.0', others, setters10, [], vlanWriters10),
  instructions: noTable,
  bands: noTable,
  queueProperties: queueProperties10,
  tableFeatureProperties: noTable,
  oxm: withNicira(oxmFieldsOnf13),
  match: match10,
  port: port10,
  portNumbers: ports16,
  // Nicira's group messages are laid out as 1.5's.
  buckets: buckets15,
  multipartPadding: 0,
  setFieldMask: false,
  extensions: {
    messages: extensionsOf([...niciraMessages(1), niciraGroupMod]),
    multiparts: extensionsOf([...niciraMultiparts(1)]),
    actions: extensionsOf([...niciraActions(1)]),
  },
};
