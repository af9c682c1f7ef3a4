/**
 * The native boundary: one interface of few verbs, implemented by native.ts (C++ workers) and model.ts (slow,
 * obvious TypeScript; the specification). Matches, actions, counters, timeouts and versions live behind it; nothing
 * above it mirrors a table. Binary forms are defined in records.ts, their numbers in native/schema/schema.mjs.
 *
 * Thread: every verb is called on the thread that opened the datapath. After close() every verb throws
 * {@link DatapathClosed}; close() may be called again.
 */

/** OpenFlow port number: 1..portsMax-1 or ReservedPort.local. */
export type PortNo = number & { readonly __brand: 'PortNo' };

/** What a vif frontend and we agreed on at Connected. All booleans are what the *frontend* can take. */
export interface VifSpec {
  readonly kind: 'vif';
  /** Frontend domain. Trusted from the xenstore path, never from a key's value. */
  readonly domid: number;
  readonly handle: number;
  /** 1..8; evtchnTx equals evtchnRx when the frontend did not split its event channels. */
  readonly queues: readonly {
    readonly txRingRef: number;
    readonly rxRingRef: number;
    readonly evtchnTx: number;
    readonly evtchnRx: number;
  }[];
  /** feature-sg: frames over several slots. */
  readonly sg: boolean;
  readonly gsoTcpv4: boolean;
  readonly gsoTcpv6: boolean;
  /** May receive TCP/UDP over IPv4 (IPv6) with a blank checksum. */
  readonly csumBlankIpv4: boolean;
  readonly csumBlankIpv6: boolean;
  /** feature-rx-notify: kicks when it posted receive buffers. */
  readonly rxNotify: boolean;
  /** The control ring, when the frontend has one: hashing, steering, staging grants (io/netif.h, types 1 to 10). */
  readonly control?: { readonly ringRef: number; readonly evtchn: number };
}

/**
 * What toolstack, operator and frontend want of a port, besides what it is. All of it may change while traffic flows;
 * what is not named is off. A port that has no use for a setting ignores it.
 */
export interface PortSettings {
  /** Limit of what comes in through the port: so many bytes per interval; more waits with the sender (vif only). */
  readonly rate?: { readonly bytes: number; readonly intervalUs: number };
  /** VLANs of the port, for NORMAL only. `tag`: access port. Else a trunk of `trunks`, empty: of all. */
  readonly vlan?: { readonly tag: number | undefined; readonly trunks: readonly number[] };
  /** Sources the port may use; everything else that comes in is dropped as `spoofed`. */
  readonly sources?: PortSources;
  /** Nothing passes the port, either way; dropped as `port_down`. Not to be seen in the port's OpenFlow config. */
  readonly disabled?: boolean;
  /** Complete every checksum, and segment everything, before it goes out (vif only). */
  readonly completeChecksums?: boolean;
  /** Send only multicast that the frontend asked for (vif only). */
  readonly multicastControl?: boolean;
  /** Bytes left free before each frame for the frontend's XDP program, 0..32767 (vif only). */
  readonly xdpHeadroom?: number;
  /** Frames out of the port have at most so many bytes after the Ethernet header and one VLAN tag; 0 or absent: any (vif only). */
  readonly mtu?: number;
}

/** Port security. Neighbour discovery and ARP must not claim other addresses either. */
export interface PortSources {
  readonly mac: string;
  /** Undefined: any; empty: none. Plain addresses. */
  readonly ipv4: readonly string[] | undefined;
  readonly ipv6: readonly string[] | undefined;
}

/** Other kinds of port. MTU is without the Ethernet header. */
export type PortSpec =
  | VifSpec
  /** A kernel TAP device; made when it does not exist, in the network namespace of the process or the one given. */
  | { readonly kind: 'tap'; readonly device: string; readonly netns?: string; readonly mac?: string }
  /** An existing kernel interface through a packet socket, promiscuous. */
  | { readonly kind: 'packet'; readonly device: string }
  /** Frames from a file (optionally looped from memory as fast as possible), frames out to a file. */
  | { readonly kind: 'pcap'; readonly input?: string; readonly loop?: boolean; readonly output?: string }
  /** Swallows what it gets. */
  | { readonly kind: 'null' }
  /** Hands each frame it gets to onUpcall as a port_output record; for tests and traces. */
  | { readonly kind: 'capture' };

/** Why attach failed; the message names the interface, the value and the reason. */
export class AttachError extends Error {
  override readonly name = 'AttachError';
}

export class DatapathClosed extends Error {
  override readonly name = 'DatapathClosed';
  constructor() {
    super('the datapath is closed');
  }
}

export interface Datapath {
  /** Adds a port and starts its traffic. Throws {@link AttachError}; nothing is left behind then. */
  portAttach(port: PortNo, spec: PortSpec, settings?: PortSettings): void;

  /**
   * Replaces all settings of an attached port. When it returns, what is received or sent later meets the new ones.
   * Throws {@link AttachError} for a value out of range, and the old settings stay. Unknown ports are ignored.
   */
  portConfigure(port: PortNo, settings: PortSettings): void;

  /** When it returns no thread touches the port or its rings any more. Unknown ports are ignored. */
  portDetach(port: PortNo): void;

  /**
   * Carries out the records of `batch` in order. When it returns no packet received later sees the old state.
   * With `atomic`, all become visible to every packet at once, or none if one fails.
   * Returns one Status per record (in an atomic batch that failed: `ok` for all but the failed one).
   */
  apply(batch: Uint8Array, options?: { readonly atomic?: boolean }): Uint8Array;

  /** Runs a packet-out record: its actions on its frame, tables included (output to TABLE). Returns a Status. */
  packetOut(record: Uint8Array): number;

  /**
   * Answers one query record. Long answers come in parts: `next` is the record to ask with for the following part,
   * undefined after the last. Parts are at most about `limit` bytes (default 1 MiB).
   */
  read(query: Uint8Array, limit?: number): { readonly data: Uint8Array; readonly next: Uint8Array | undefined };

  /** Expires flows and frees what no worker sees any more. Call about ten times a second. */
  tick(): void;

  /** Packets for the controller, removed flows, port state: a batch of upcall records per call. One listener. */
  onUpcall(listener: (records: Uint8Array) => void): void;

  /** Stops every port. When it returns no thread of this datapath runs and no upcall follows. */
  close(): void;
}

/** Of the native datapath alone: the model tells its steps by `follow`. */
export interface Tracer {
  /**
   * What would become of the frame of a trace request that comes in by a port now, as trace step records; it has no other
   * effect. `status` is a Status; without `ok` there are no steps.
   */
  trace(request: Uint8Array): { readonly status: number; readonly steps: Uint8Array };
}
