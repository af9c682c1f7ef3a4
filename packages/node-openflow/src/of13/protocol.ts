/** OpenFlow 1.3 as tables: the one place that lists its messages and multipart bodies. */
import { type MessageCodec, type MultipartCodec, oxmTableOf, type Protocol, tableOf } from '../codec/protocol.js';
import { symmetricMessages } from '../codec/symmetric.js';
import { niciraFields } from '../nicira/fields.js';
import { experimenterMessages } from '../nicira/messages/index.js';
import { experimenterMultiparts } from '../nicira/multiparts.js';
import { actions13 } from './actions.js';
import { bands13 } from './bands.js';
import { instructions13 } from './instructions.js';
import { getAsyncReply, setAsync } from './messages/async.js';
import { getConfigReply, setConfig } from './messages/config.js';
import { barrierReply, barrierRequest, featuresRequest, getAsyncRequest, getConfigRequest } from './messages/empty.js';
import { featuresReply } from './messages/features.js';
import { flowMod } from './messages/flow-mod.js';
import { flowRemoved } from './messages/flow-removed.js';
import { groupMod } from './messages/group-mod.js';
import { meterMod } from './messages/meter-mod.js';
import { multipartReply, multipartRequest } from './messages/multipart.js';
import { packetIn } from './messages/packet-in.js';
import { packetOut } from './messages/packet-out.js';
import { portMod, portStatus } from './messages/port.js';
import { queueGetConfigReply, queueGetConfigRequest } from './messages/queue-config.js';
import { roleReply, roleRequest } from './messages/role.js';
import { tableMod } from './messages/table-mod.js';
import { desc } from './multipart/desc.js';
import { aggregate, flow } from './multipart/flow.js';
import { group, groupDesc, groupFeatures } from './multipart/group.js';
import { meter, meterConfig, meterFeatures } from './multipart/meter.js';
import { portDesc, portStats } from './multipart/port.js';
import { queue } from './multipart/queue.js';
import { table } from './multipart/table.js';
import { tableFeatures } from './multipart/table-features.js';
import { oxmFields13 } from './oxm-fields.js';
import { queueProperties13 } from './queue-properties.js';
import { tableFeatureProperties13 } from './table-feature-properties.js';

/** ofp_type (OpenFlow 1.3.5 §7.1). */
const messages = tableOf<MessageCodec>([
  ...symmetricMessages.list,
  ...experimenterMessages(4),
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
  ...experimenterMultiparts(4),
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
  oxm: oxmTableOf([...oxmFields13, ...niciraFields]),
};
