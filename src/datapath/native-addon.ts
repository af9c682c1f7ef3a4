import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../base/package-root.js';

/** kWorkersMax of native/base/limits.h. */
export const WORKERS_MAX = 16;

/**
 * What the native addon exports, as native/napi defines it. Private to this folder but for {@link NativeRuntime}
 * and {@link NativeFrontend}, which the emulated guests use.
 */
export interface NativeAddon {
  /** Starts workers and opens the hypervisor. Throws Error with a sentence. */
  openRuntime(options: { readonly workers: number; readonly hypervisor: 'emulated' | 'xen' }): NativeRuntime;
  /** By name or number; without a group, the user's own. Throws Error with a sentence. */
  findUser(options: { readonly user: string; readonly group?: string }): { readonly uid: number; readonly gid: number };
  /**
   * Every thread becomes that user, for good, and can start no program any more; the calling thread keeps the
   * capabilities named. Throws Error with a sentence, and then the process must end.
   */
  dropPrivileges(options: {
    readonly user: string;
    readonly uid: number;
    readonly gid: number;
    readonly keepNetAdmin: boolean;
    readonly keepNetRaw: boolean;
  }): void;
}

/** Worker threads and the hypervisor; shared by every datapath of the process. */
export interface NativeRuntime {
  openDatapath(): NativeDatapath;
  /** The domain we are in, 0..0x7fef, before a guest's port is attached: on a real Xen, copies become cheaper. */
  setOwnDomid(domid: number): void;
  /** Only with the emulated hypervisor. Throws otherwise. */
  readonly emulated: EmulatedHypervisor;
  /** Closes every datapath and guest still open. May be called again. */
  close(): void;
}

export interface NativeDatapath {
  portAttach(port: number, spec: object, settings: object): void;
  portConfigure(port: number, settings: object): void;
  portDetach(port: number): void;
  apply(batch: Uint8Array, atomic: boolean): Uint8Array;
  packetOut(record: Uint8Array): number;
  trace(request: Uint8Array): { status: number; steps: Uint8Array };
  read(query: Uint8Array, limit: number): { data: Uint8Array; next: Uint8Array | undefined };
  tick(): void;
  onUpcall(listener: (records: Uint8Array) => void): void;
  close(): void;
}

/** Domains of the emulated hypervisor and the frontends in them. */
export interface EmulatedHypervisor {
  /** Makes domain `domid` (1..32751). Throws when it exists. */
  createDomain(domid: number): void;
  /**
   * The domain dies: its frontends stop where they are, its grants stay mapped where a backend still maps them.
   * Unknown domains are ignored.
   */
  destroyDomain(domid: number): void;
  /** Allocates rings and event channels of a frontend in a domain. Throws with a sentence. */
  createFrontend(domid: number, options: FrontendOptions): NativeFrontend;
  /** For tests: a domain's pages, grants and channels without a driver's rules. Throws with a sentence. */
  createHostile(domid: number): HostileFrontend;
  /** For leak tests: what is in use, hypervisor-wide. */
  usage(): { domains: number; grantsGranted: number; grantsMapped: number; evtchns: number; threads: number };
}

export interface FrontendOptions {
  readonly mac: string;
  /** MTU without the Ethernet header; up to 65521 with sg. */
  readonly mtu: number;
  readonly queues: number;
  readonly splitEventChannels: boolean;
  readonly sg: boolean;
  readonly gsoTcpv4: boolean;
  readonly gsoTcpv6: boolean;
  /** Whether this frontend may send, and takes, blank checksums. */
  readonly csumOffload: boolean;
  /** Whether it has a control ring; default no. */
  readonly controlRing?: boolean;
  /** By default those of Linux. */
  readonly rules?: RingRules;
  /** The stack behind the frontend. */
  readonly stack:
    | { readonly kind: 'tap'; readonly device: string; readonly netns?: string }
    | { readonly kind: 'builtin'; readonly ipv4: string; readonly ipv6?: string };
}

/** A request of io/netif.h's control ring. */
export interface ControlRequest {
  readonly type: number;
  readonly data: readonly [number, number, number];
  readonly page?: Uint8Array;
  readonly pageAt?: 0 | 1 | 2;
}

export interface ControlAnswer {
  /** 0 success, 1 not supported, 2 invalid parameter, 3 buffer overflow. */
  readonly status: number;
  readonly data: number;
  readonly page: Uint8Array | undefined;
}

/** A frame as a guest got it. */
export interface TakenFrame {
  readonly frame: Uint8Array;
  readonly csumBlank: boolean;
  readonly gsoSize: number;
  readonly gsoType: number;
  readonly slots: number;
  readonly xdpHeadroom: number;
  /** Of the HASH extra info; type is the bit number of the hash type. */
  readonly hash?: { readonly type: number; readonly value: number };
}

/** How a driver uses its rings, and what it takes for granted (native/netfront/ring_rules.h). */
export interface RingRules {
  /** How it finds the buffer of an RX response; `slot-asserted` and `id` crash over an id they do not expect. */
  readonly rxPairing: 'slot' | 'slot-asserted' | 'id';
  /** The RX request in slot n has id n ^ rxIdXor. 0..255. */
  readonly rxIdXor?: number;
  /** A lower status of an RX response crashes the guest. By default none does. */
  readonly rxStatusMin?: number;
  /** Types of extra infos taken in RX; others crash the guest. */
  readonly rxExtras?: readonly number[];
  /** Crashes over frames that are published in parts, or whose extra infos, or the responses to those, are not in order. */
  readonly extrasAsserted?: boolean;
  /** Sends a hash along with each frame. */
  readonly txHash?: boolean;
  /** False: a frame of several slots crashes the guest. */
  readonly rxChains?: boolean;
  readonly ignoresRxFlags?: boolean;
  readonly swapsRxFlags?: boolean;
  /** TX ids are n * txIdStep + txIdFirst, n in 0..255. */
  readonly txIdFirst?: number;
  readonly txIdStep?: number;
  readonly txSlotsMax?: number;
  /** False: never tells of receive buffers it posted. */
  readonly notifiesRx?: boolean;
}

/** A netfront: real rings in the memory of its domain, and the stack behind it. */
export interface NativeFrontend {
  /** To be written to xenstore. Valid after create, and anew after reopen(). */
  readonly queues: readonly {
    readonly txRingRef: number;
    readonly rxRingRef: number;
    readonly evtchnTx: number;
    readonly evtchnRx: number;
  }[];
  /** As `queues`; undefined without a control ring. */
  readonly control: { readonly ringRef: number; readonly evtchn: number } | undefined;
  /** The backend is Connected: post receive buffers, raise the carrier, announce the addresses. */
  connect(): void;
  /** Carrier off; rings are kept until close. */
  disconnect(): void;
  /** After disconnect(): ends the old grants and channels, fresh ones are in `queues`. */
  reopen(): void;
  /**
   * One request on the control ring, whatever its type and data. The bytes of `page` (at most 4096) go into a page
   * granted for the request, whose reference becomes data[pageAt]; the answer's `page` is what the backend left there.
   * Rejects when the ring is full or goes away before the answer.
   */
  controlRequest(request: ControlRequest): Promise<ControlAnswer>;
  /**
   * Makes staging grants of all buffers of all queues, or takes them back. Resolves with whether the backend did all
   * of it; false as well without a control ring.
   */
  stageBuffers(on: boolean): Promise<boolean>;
  /** Sends ICMP (v4, v6) echo requests from the built-in stack; resolves with the round trips in microseconds. */
  ping(
    address: string,
    options: { readonly count: number; readonly intervalMs: number; readonly timeoutMs: number; readonly size: number },
  ): Promise<{ readonly sent: number; readonly received: number; readonly rttUs: readonly number[] }>;
  /** Sends UDP frames to `address` (resolved first) as fast as the ring takes them, or at `pps`. Built-in stack. */
  startTraffic(options: {
    readonly address: string;
    readonly port: number;
    readonly frameSize: number;
    readonly pps: number;
  }): void;
  stopTraffic(): void;
  /** Puts one raw frame on the transmit ring (tests). gsoSize 0: none. Returns false when the ring is full. */
  sendFrame(frame: Uint8Array, options?: { csumBlank?: boolean; gsoSize?: number; gsoType?: 0 | 1 | 2 }): boolean;
  /** Asks the backend to add or delete a multicast address. Refused, it counts as txDropped. False when the ring is full. */
  sendMulticastControl(request: { readonly action: 'add' | 'delete'; readonly address: string }): boolean;
  /** Frames delivered to the guest since the last call (tests); turned on by the first call, bounded. */
  takeFrames(): TakenFrame[];
  stats(): {
    readonly txPackets: number;
    readonly txBytes: number;
    readonly rxPackets: number;
    readonly rxBytes: number;
    readonly txDropped: number;
    readonly rxErrors: number;
    readonly udpReceived: number;
  };
  /** What the backend did that this guest's kernel does not survive; undefined: it lives. */
  readonly panicked: string | undefined;
  /** Ends grants and channels. May be called again. */
  close(): void;
}

/**
 * One step of a hostile guest's second processor, which repeats its program without end. `follow` sets req_prod of a
 * ring page to its rsp_prod plus a value; the values of `store` take turns.
 */
export type HostileStep =
  | { readonly op: 'store' | 'add'; readonly page: number; readonly offset: number; readonly values: readonly number[] }
  | { readonly op: 'follow'; readonly page: number; readonly values: readonly [number] }
  | { readonly op: 'notify'; readonly values: readonly [port: number] };

/** Raw memory, grants and channels of an emulated domain. Every verb throws when it cannot be done. */
export interface HostileFrontend {
  /** Number of a new page of zeros. */
  allocatePage(): number;
  /** Grants a page to `to` (by default the backend's domain); returns the reference. */
  grant(page: number, readonly?: boolean, to?: number): number;
  /** False when it is mapped. */
  revoke(ref: number): boolean;
  write(page: number, offset: number, bytes: Uint8Array): void;
  read(page: number, offset: number, length: number): Uint8Array;
  /** An unbound channel for `remote` (by default the backend's domain). */
  openChannel(remote?: number): number;
  closeChannel(port: number): void;
  notify(port: number, times?: number): void;
  /** Begins to repeat a program on a thread of its own. */
  start(program: readonly HostileStep[]): void;
  /** Ends the program; returns how often it ran. */
  stop(): number;
  /** Stops, ends grants and channels. May be called again. */
  close(): void;
}

/** Loads the addon; throws with the command that builds it when it is not there. */
export function loadAddon(): NativeAddon {
  const path = join(packageRoot, 'build/native/xvif.node');
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (cause) {
    throw new Error(`cannot load the native data plane from ${path}: run "npm run build"`, { cause });
  }
}
