/** OpenFlow 1.2 as tables: the one place that lists its messages and statistics. */
import { oxmMatch } from '../codec/match.js';
import { noTable } from '../codec/no-structures.js';
import { ports32 } from '../codec/port-numbers.js';
import { extensionsOf, type MessageCodec, type MultipartCodec, type Protocol, tableOf } from '../codec/protocol.js';
import { symmetricMessages } from '../codec/symmetric.js';
import { getConfigReply, setConfig } from '../messages/config.js';
import { barrierReply, barrierRequest, featuresRequest, getConfigRequest } from '../messages/empty.js';
import { experimenter } from '../messages/experimenter.js';
import { featuresReply11 } from '../messages/features.js';
import { flowMod12 } from '../messages/flow-mod.js';
import { flowRemoved } from '../messages/flow-removed.js';
import { groupMod } from '../messages/group-mod.js';
import { multipartReply, multipartRequest } from '../messages/multipart.js';
import { packetIn12 } from '../messages/packet-in.js';
import { packetOut } from '../messages/packet-out.js';
import { portMod, portStatus } from '../messages/port.js';
import { queueGetConfigReply, queueGetConfigRequest } from '../messages/queue-config.js';
import { roleReply, roleRequest } from '../messages/role.js';
import { tableMod } from '../messages/table-mod.js';
import { desc } from '../multipart/desc.js';
import { experimenterMultipart } from '../multipart/experimenter.js';
import { aggregate, flow11 } from '../multipart/flow.js';
import { group11, groupDesc, groupFeatures } from '../multipart/group.js';
import { portStats10 } from '../multipart/port.js';
import { queue10 } from '../multipart/queue.js';
import { table12 } from '../multipart/table.js';
import { niciraActions } from '../nicira/actions/index.js';
import { niciraMessages } from '../nicira/messages/index.js';
import { niciraMultiparts } from '../nicira/multiparts.js';
import { withNicira } from '../nicira/oxm-table.js';
import { oxmFields12 } from '../of15/oxm-fields.js';
import { actions12 } from '../structures/actions.js';
import { buckets11 } from '../structures/buckets.js';
import { instructions11 } from '../structures/instructions.js';
import { port11 } from '../structures/ports.js';
import { queueProperties13 } from '../structures/queue-properties.js';

/** ofp_type (OpenFlow 1.2 §A.1). */
const messages = tableOf<MessageCodec>([
  ...symmetricMessages.list,
  experimenter,
  featuresRequest,
  featuresReply11,
  getConfigRequest,
  getConfigReply,
  setConfig,
  packetIn12,
  flowRemoved,
  portStatus,
  packetOut,
  flowMod12,
  groupMod,
  portMod,
  tableMod,
  multipartRequest,
  multipartReply,
  barrierRequest,
  barrierReply,
  queueGetConfigRequest,
  queueGetConfigReply,
  roleRequest,
  roleReply,
]);

/** ofp_stats_types (§A.3.6). */
const multiparts = tableOf<MultipartCodec>([
  desc,
  flow11,
  aggregate,
  table12,
  portStats10,
  queue10,
  group11,
  groupDesc,
  groupFeatures,
  experimenterMultipart,
]);

export const protocol12: Protocol = {
  version: 3,
  messages,
  multiparts,
  actions: actions12,
  instructions: instructions11,
  bands: noTable,
  queueProperties: queueProperties13,
  tableFeatureProperties: noTable,
  oxm: withNicira(oxmFields12),
  match: oxmMatch,
  port: port11,
  portNumbers: ports32,
  buckets: buckets11,
  multipartPadding: 4,
  setFieldMask: false,
  extensions: {
    messages: extensionsOf([...niciraMessages(3)]),
    multiparts: extensionsOf([...niciraMultiparts(3)]),
    actions: extensionsOf([...niciraActions(3)]),
  },
};
