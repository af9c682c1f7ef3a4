/** OpenFlow 1.5 as tables: the one place that lists its messages and multipart bodies. */
import { oxmMatch } from '../codec/match.js';
import { noTable } from '../codec/no-structures.js';
import { ports32 } from '../codec/port-numbers.js';
import { extensionsOf, type MessageCodec, type MultipartCodec, type Protocol, tableOf } from '../codec/protocol.js';
import { symmetricMessages } from '../codec/symmetric.js';
import { getAsyncReply15, setAsync15 } from '../messages/async.js';
import { bundleAddMessage15, bundleControl15, requestForward } from '../messages/bundle.js';
import { getConfigReply, setConfig } from '../messages/config.js';
import { controllerStatus } from '../messages/controller-status.js';
import { barrierReply, barrierRequest, featuresRequest, getAsyncRequest, getConfigRequest } from '../messages/empty.js';
import { experimenter } from '../messages/experimenter.js';
import { featuresReply } from '../messages/features.js';
import { flowMod14 } from '../messages/flow-mod.js';
import { flowRemoved15 } from '../messages/flow-removed.js';
import { groupMod15 } from '../messages/group-mod.js';
import { meterMod } from '../messages/meter-mod.js';
import { multipartReply, multipartRequest } from '../messages/multipart.js';
import { packetIn14 } from '../messages/packet-in.js';
import { packetOut15 } from '../messages/packet-out.js';
import { portMod14, portStatus } from '../messages/port.js';
import { roleReply15, roleRequest15, roleStatus } from '../messages/role.js';
import { tableMod14, tableStatus } from '../messages/table-mod.js';
import { bundleFeatures, controllerStatuses } from '../multipart/controller-status.js';
import { desc } from '../multipart/desc.js';
import { experimenterMultipart } from '../multipart/experimenter.js';
import { flowMonitor } from '../multipart/flow-monitor.js';
import { aggregate15, flow15, flowStats15 } from '../multipart/flow15.js';
import { group, groupDesc15, groupFeatures } from '../multipart/group.js';
import { meter, meterConfig, meterFeatures15 } from '../multipart/meter.js';
import { portDesc15, portStats14 } from '../multipart/port.js';
import { queue14, queueDesc } from '../multipart/queue.js';
import { table, tableDescs } from '../multipart/table.js';
import { tableFeatures15 } from '../multipart/table-features.js';
import { niciraActions } from '../nicira/actions/index.js';
import { niciraMessages } from '../nicira/messages/index.js';
import { niciraMultiparts } from '../nicira/multiparts.js';
import { withNicira } from '../nicira/oxm-table.js';
import { actions15 } from '../structures/actions.js';
import { bands13 } from '../structures/bands.js';
import { buckets15 } from '../structures/buckets.js';
import { instructions15, meterAsAction } from '../structures/instructions.js';
import { port15 } from '../structures/ports.js';
import { tableFeatureProperties15 } from '../structures/table-feature-properties.js';
import { oxmFields15 } from './oxm-fields.js';

/** ofp_type (OpenFlow 1.5.1 §7.1). */
const messages = tableOf<MessageCodec>([
  ...symmetricMessages.list,
  experimenter,
  featuresRequest,
  featuresReply,
  getConfigRequest,
  getConfigReply,
  setConfig,
  packetIn14,
  flowRemoved15,
  portStatus,
  packetOut15,
  flowMod14,
  groupMod15,
  portMod14,
  tableMod14,
  multipartRequest,
  multipartReply,
  barrierRequest,
  barrierReply,
  roleRequest15,
  roleReply15,
  getAsyncRequest,
  getAsyncReply15,
  setAsync15,
  meterMod,
  roleStatus,
  tableStatus,
  requestForward,
  bundleControl15,
  bundleAddMessage15,
  controllerStatus,
]);

/** ofp_multipart_type (§7.3.5). */
const multiparts = tableOf<MultipartCodec>([
  desc,
  flow15,
  aggregate15,
  table,
  portStats14,
  queue14,
  group,
  groupDesc15,
  groupFeatures,
  meter,
  meterConfig,
  meterFeatures15,
  tableFeatures15,
  portDesc15,
  tableDescs,
  queueDesc,
  flowMonitor,
  flowStats15,
  controllerStatuses,
  bundleFeatures,
  experimenterMultipart,
]);

export const protocol15: Protocol = {
  version: 6,
  messages,
  multiparts,
  actions: actions15,
  instructions: instructions15,
  bands: bands13,
  queueProperties: noTable,
  tableFeatureProperties: tableFeatureProperties15,
  oxm: withNicira(oxmFields15),
  match: oxmMatch,
  port: port15,
  portNumbers: ports32,
  buckets: buckets15,
  multipartPadding: 4,
  setFieldMask: true,
  extensions: {
    messages: extensionsOf([...niciraMessages(6)]),
    multiparts: extensionsOf([...niciraMultiparts(6)]),
    actions: extensionsOf([...niciraActions(6)]),
  },
  rewrite: meterAsAction,
};
