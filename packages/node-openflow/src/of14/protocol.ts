/** OpenFlow 1.4 as tables: the one place that lists its messages and multipart bodies. */
import { oxmMatch } from '../codec/match.js';
import { noTable } from '../codec/no-structures.js';
import { ports32 } from '../codec/port-numbers.js';
import { extensionsOf, type MessageCodec, type MultipartCodec, type Protocol, tableOf } from '../codec/protocol.js';
import { symmetricMessages } from '../codec/symmetric.js';
import { getAsyncReply14, setAsync14 } from '../messages/async.js';
import { bundleAddMessage14, bundleControl14, requestForward } from '../messages/bundle.js';
import { getConfigReply, setConfig } from '../messages/config.js';
import { barrierReply, barrierRequest, featuresRequest, getAsyncRequest, getConfigRequest } from '../messages/empty.js';
import { experimenter } from '../messages/experimenter.js';
import { featuresReply } from '../messages/features.js';
import { flowMod14 } from '../messages/flow-mod.js';
import { flowRemoved14 } from '../messages/flow-removed.js';
import { groupMod } from '../messages/group-mod.js';
import { meterMod } from '../messages/meter-mod.js';
import { multipartReply, multipartRequest } from '../messages/multipart.js';
import { packetIn14 } from '../messages/packet-in.js';
import { packetOut } from '../messages/packet-out.js';
import { portMod14, portStatus } from '../messages/port.js';
import { roleReply, roleRequest, roleStatus } from '../messages/role.js';
import { tableMod14, tableStatus } from '../messages/table-mod.js';
import { desc } from '../multipart/desc.js';
import { experimenterMultipart } from '../multipart/experimenter.js';
import { aggregate, flow14 } from '../multipart/flow.js';
import { flowMonitor } from '../multipart/flow-monitor.js';
import { group, groupDesc, groupFeatures } from '../multipart/group.js';
import { meter, meterConfig, meterFeatures } from '../multipart/meter.js';
import { portDesc, portStats14 } from '../multipart/port.js';
import { queue14, queueDesc } from '../multipart/queue.js';
import { table, tableDescs } from '../multipart/table.js';
import { tableFeatures } from '../multipart/table-features.js';
import { niciraActions } from '../nicira/actions/index.js';
import { niciraMessages } from '../nicira/messages/index.js';
import { niciraMultiparts } from '../nicira/multiparts.js';
import { withNicira } from '../nicira/oxm-table.js';
import { oxmFields14 } from '../of15/oxm-fields.js';
import { actions13, onfCopyField } from '../structures/actions.js';
import { bands13 } from '../structures/bands.js';
import { buckets11 } from '../structures/buckets.js';
import { instructions13, meterAsInstruction } from '../structures/instructions.js';
import { port14 } from '../structures/ports.js';
import { tableFeatureProperties14 } from '../structures/table-feature-properties.js';

/** ofp_type (OpenFlow 1.4.1 §7.1). */
const messages = tableOf<MessageCodec>([
  ...symmetricMessages.list,
  experimenter,
  featuresRequest,
  featuresReply,
  getConfigRequest,
  getConfigReply,
  setConfig,
  packetIn14,
  flowRemoved14,
  portStatus,
  packetOut,
  flowMod14,
  groupMod,
  portMod14,
  tableMod14,
  multipartRequest,
  multipartReply,
  barrierRequest,
  barrierReply,
  roleRequest,
  roleReply,
  getAsyncRequest,
  getAsyncReply14,
  setAsync14,
  meterMod,
  roleStatus,
  tableStatus,
  requestForward,
  bundleControl14,
  bundleAddMessage14,
]);

/** ofp_multipart_type (§7.3.5). */
const multiparts = tableOf<MultipartCodec>([
  desc,
  flow14,
  aggregate,
  table,
  portStats14,
  queue14,
  group,
  groupDesc,
  groupFeatures,
  meter,
  meterConfig,
  meterFeatures,
  tableFeatures,
  portDesc,
  tableDescs,
  queueDesc,
  flowMonitor,
  experimenterMultipart,
]);

export const protocol14: Protocol = {
  version: 5,
  messages,
  multiparts,
  actions: actions13,
  instructions: instructions13,
  bands: bands13,
  queueProperties: noTable,
  tableFeatureProperties: tableFeatureProperties14,
  oxm: withNicira(oxmFields14),
  match: oxmMatch,
  port: port14,
  portNumbers: ports32,
  buckets: buckets11,
  multipartPadding: 4,
  setFieldMask: false,
  extensions: {
    messages: extensionsOf([...niciraMessages(5)]),
    multiparts: extensionsOf([...niciraMultiparts(5)]),
    actions: extensionsOf([onfCopyField, ...niciraActions(5)]),
  },
  rewrite: meterAsInstruction,
};
