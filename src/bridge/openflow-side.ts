/** What a bridge asks of its OpenFlow half, and what it hears from it. */
import type { PortNo } from '../datapath/datapath.js';
import type { TableChange, TableState } from '../ofproto/index.js';
import type { ChannelStatus, ControllerStatus as DialledController } from '../openflow/index.js';
import type { FlowEntry } from './flow-text.js';

export interface ControllerStatus {
  /** As configured, tcp:HOST:PORT; of one that connected to us, where and from where; of one refused there, where. */
  readonly target: string;
  readonly connected: boolean;
  /** "master", "slave", "equal"; empty while not connected. */
  readonly role: string;
  /** OpenFlow wire version; 0 while not connected. */
  readonly version: number;
  /** Why it is not connected, where that is known. */
  readonly lastError: string;
}

export interface PortFacts {
  readonly number: PortNo;
  readonly name: string;
  readonly mac: string;
}

export interface OpenFlowSide {
  /** The port is attached already; controllers learn of it. */
  portAdded(port: PortFacts): void;
  /** The port is detached already. */
  portRemoved(number: PortNo): void;
  /** One listener. */
  onPortState(listener: PortStateListener): void;
  /** Flows expire: see Datapath.tick. */
  tick(): void;
  /** What is not named stays as it is; returns what is in force then. */
  setTable(table: number, change: TableChange): TableState;
  flows(): Promise<readonly FlowEntry[]>;
  controllers(): readonly ControllerStatus[];
  /** Where controllers may connect, with picked port numbers. */
  listening(): readonly string[];
  /** Ends every channel; when it resolves no socket is left. */
  close(): Promise<void>;
}

/** Called when the link of a port went up or down; `fault` is empty unless its other end broke the rules. */
export type PortStateListener = (number: number, linkDown: boolean, fault: string) => void;

/** Configured controllers, connected or not, and those that came by themselves. Tools are no controllers. */
export function controllerStatus(
  configured: readonly DialledController[],
  connections: readonly ChannelStatus[],
): readonly ControllerStatus[] {
  const isMain = ({ management, version, auxiliaryId }: ChannelStatus) =>
    !management && version !== undefined && auxiliaryId === 0;
  const controllers = connections.filter(isMain);
  const byPeer = new Map(controllers.map((connection) => [connection.peer, connection]));
  const dialled = configured.map(({ target, connected, lastError }): ControllerStatus => {
    const connection = connected ? byPeer.get(target) : undefined;
    if (connection === undefined) return { target, connected: false, role: '', version: 0, lastError: lastError ?? '' };
    return connectedStatus(connection);
  });
  const targets = new Set(configured.map(({ target }) => target));
  return [...dialled, ...controllers.filter(({ peer }) => !targets.has(peer)).map(connectedStatus)];
}

function connectedStatus({ peer, role, version }: ChannelStatus): ControllerStatus {
  return { target: peer, connected: true, role, version: version ?? 0, lastError: '' };
}
