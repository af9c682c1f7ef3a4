/** OpenFlow 1.3 as tables: the one place that lists its messages and multipart bodies. */
import { oxmMatch } from '../codec/match.js';
import { ports32 } from '../codec/port-numbers.js';
import { extensionsOf, type MessageCodec, type MultipartCodec, type Protocol, tableOf } from '../codec/protocol.js';
import { symmetricMessages } from '../codec/symmetric.js';
import { getAsyncReply, setAsync } from '../messages/async.js';
import { onfMessages } from '../messages/bundle.js';
import { getConfigReply, setConfig } from '../messages/config.js';
import { barrierReply, barrierRequest, featuresRequest, getAsyncRequest, getConfigRequest } from '../messages/empty.js';
import { experimenter } from '../messages/experimenter.js';
import { featuresReply } from '../messages/features.js';
import { flowMod } from '../messages/flow-mod.js';
import { flowRemoved } from '../messages/flow-removed.js';
import { groupMod } from '../messages/group-mod.js';
import { meterMod } from '../messages/meter-mod.js';
import { multipartReply, multipartRequest } from '../messages/multipart.js';
import { packetIn } from '../messages/packet-in.js';
import { packetOut } from '../messages/packet-out.js';
import { portMod, portStatus } from '../messages/port.js';
import { queueGetConfigReply, queueGetConfigRequest } from '../messages/queue-config.js';
import { roleReply, roleRequest } from '../messages/role.js';
import { tableMod } from '../messages/table-mod.js';
import { desc } from '../multipart/desc.js';
import { experimenterMultipart } from '../multipart/experimenter.js';
import { aggregate, flow } from '../multipart/flow.js';
import { onfMultiparts } from '../multipart/flow-monitor.js';
import { group, groupDesc, groupFeatures } from '../multipart/group.js';
import { meter, meterConfig, meterFeatures } from '../multipart/meter.js';
import { portDesc, portStats } from '../multipart/port.js';
import { queue } from '../multipart/queue.js';
import { table } from '../multipart/table.js';
import { tableFeatures } from '../multipart/table-features.js';
import { niciraActions } from '../nicira/actions/index.js';
import { niciraMessages } from '../nicira/messages/index.js';
import { niciraMultiparts } from '../nicira/multiparts.js';
import { withNicira } from '../nicira/oxm-table.js';
import { oxmFieldsOnf13 } from '../of15/oxm-fields.js';
import { actions13, onfCopyField } from '../structures/actions.js';
import { bands13 } from '../structures/bands.js';
import { buckets11 } from '../structures/buckets.js';
import { instructions13, meterAsInstruction } from '../structures/instructions.js';
import { port11 } from '../structures/ports.js';
import { queueProperties13 } from '../structures/queue-properties.js';
import { tableFeatureProperties13 } from '../structures/table-feature-properties.js';

/** ofp_type (OpenFlow 1.3.5 §7.1). */
const messages = tableOf<MessageCodec>([
  ...symmetricMessages.list,
  experimenter,
  featuresRequest,
  featuresReply,
  getConfigRequest,
  getConfigReply,
  setConfig,
  packetIn,
  flowRemoved,
  portStatus,
  packetOut,
  flowMod,
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
  getAsyncRequest,
  getAsyncReply,
  setAsync,
  meterMod,
]);

/** ofp_multipart_type (§7.3.5). */
const multiparts = tableOf<MultipartCodec>([
  desc,
  flow,
  aggregate,
  table,
  portStats,
  queue,
  group,
  groupDesc,
  groupFeatures,
  meter,
  meterConfig,
  meterFeatures,
  tableFeatures,
  portDesc,
  experimenterMultipart,
]);

export const protocol13: Protocol = {
  version: 4,
  messages,
  multiparts,
  actions: actions13,
  instructions: instructions13,
  bands: bands13,
  queueProperties: queueProperties13,
  tableFeatureProperties: tableFeatureProperties13,
  oxm: withNicira(oxmFieldsOnf13),
  match: oxmMatch,
  port: port11,
  portNumbers: ports32,
  buckets: buckets11,
  multipartPadding: 4,
  setFieldMask: false,
  extensions: {
    messages: extensionsOf([...onfMessages, ...niciraMessages(4)]),
    multiparts: extensionsOf([...onfMultiparts, ...niciraMultiparts(4)]),
    actions: extensionsOf([onfCopyField, ...niciraActions(4)]),
  },
  rewrite: meterAsInstruction,
};
