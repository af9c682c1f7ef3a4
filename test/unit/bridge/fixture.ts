/** A bridge over the model datapath, with an OpenFlow half that only remembers what it was told. */
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { Bridge, type BridgeOptions } from '../../../src/bridge/bridge.js';
import type { FlowEntry } from '../../../src/bridge/flow-text.js';
import type {
  ControllerStatus,
  OpenFlowSide,
  PortFacts,
  PortStateListener,
} from '../../../src/bridge/openflow-side.js';
import type { PortNo } from '../../../src/datapath/datapath.js';
import { ModelDatapath } from '../../../src/datapath/model.js';
import type { TableChange, TableState } from '../../../src/ofproto/index.js';

export class FakeOpenFlow implements OpenFlowSide {
  tick(): void {}
  readonly told: string[] = [];
  portState: PortStateListener = () => {};
  status: readonly ControllerStatus[] = [];
  entries: readonly FlowEntry[] = [];
  closed = 0;

  onPortState(listener: PortStateListener): void {
    this.portState = listener;
  }

  portAdded({ number, name, mac }: PortFacts): void {
    this.told.push(`+${number} ${name} ${mac}`);
  }

  portRemoved(number: PortNo): void {
    this.told.push(`-${number}`);
  }

  table: TableState = { maxEntries: 5, evicts: false, groups: [], name: 'table3' };
  setTable(_: number, change: TableChange): TableState {
    this.table = { ...this.table, ...change };
    return this.table;
  }

  async flows() {
    return this.entries;
  }

  controllers() {
    return this.status;
  }

  listening() {
    return ['ptcp:6653:127.0.0.1'];
  }

  async close() {
    this.closed++;
  }
}

export function createBridge(name = 'br0', options: Partial<BridgeOptions> = {}) {
  const datapath = new ModelDatapath();
  const attach = datapath.portAttach.bind(datapath);
  // The model has no rings: a vif is a port that swallows everything.
  datapath.portAttach = (port, spec, settings) => attach(port, spec.kind === 'vif' ? { kind: 'null' } : spec, settings);
  const openflow = new FakeOpenFlow();
  const bridge = new Bridge({
    name,
    datapathId: 0x2an,
    failMode: 'secure',
    managementSocket: `/run/xvif/${name}.mgmt`,
    datapath,
    openflow,
    macOf: (port) => `02:00:00:00:00:0${port.length}`,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  return { bridge, datapath, openflow };
}
