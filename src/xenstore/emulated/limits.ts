/**
 * Limits of the emulated xenstored. Those of a domain are xenstored's defaults (tools/xenstored/domain.c) and, as
 * there, hold for every domain but 0.
 */
export interface DomainQuota {
  readonly nodes: number;
  readonly watches: number;
  readonly transactions: number;
  /** Nodes touched within one transaction. */
  readonly transactionNodes: number;
  readonly nodePermissions: number;
  /** Bytes of a node: header, permissions, value and the names of its children. */
  readonly nodeSize: number;
  /** Characters of a path below the home of a domain. */
  readonly pathLength: number;
  /** Replies not taken yet, beyond which nothing more is read from the connection. */
  readonly outstanding: number;
  /** Bytes waiting for the connection, beyond which it is dropped (memory quota). */
  readonly queuedBytes: number;
}

export const domainQuota: DomainQuota = {
  nodes: 1000,
  watches: 128,
  transactions: 10,
  transactionNodes: 1024,
  nodePermissions: 5,
  nodeSize: 2048,
  pathLength: 2048,
  outstanding: 20,
  queuedBytes: 2_500_000,
};

/** Ours for domain 0, where xenstored has none: a stopped reader must not take the daemon along. */
export const privilegedQueuedBytesMax = 64 * 1024 * 1024;
export const privilegedOutstandingMax = 4096;

/** Connections on the unix socket. */
export const socketConnectionsMax = 1024;

/** Bytes handed to a transport before waiting for it to drain. */
export const transportQueueMax = 64 * 1024;

/** What xenstored counts for a node besides its value, permissions and children. */
export const nodeHeaderSize = 24;
export const nodePermissionSize = 8;
