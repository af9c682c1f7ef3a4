/** The messages of xvif.proto as protobufjs hands them out: every field set, 64-bit integers as bigint. */

export interface BridgeFilter {
  /** Empty: every bridge. */
  readonly bridge: string;
}

export interface Controller {
  readonly target: string;
  readonly connected: boolean;
  readonly role: string;
  readonly version: number;
  readonly lastError: string;
}
export interface Bridge {
  readonly name: string;
  readonly datapathId: bigint;
  readonly failMode: string;
  readonly controllers: readonly Controller[];
  readonly ports: number;
  readonly flows: bigint;
  readonly managementSocket: string;
  readonly listening: readonly string[];
}
export interface ShowReply {
  readonly version: string;
  readonly hypervisor: string;
  readonly workers: number;
  readonly pid: number;
  readonly uptimeMs: bigint;
  readonly bridges: readonly Bridge[];
}

export interface Vif {
  readonly domid: number;
  readonly handle: number;
  readonly queues: number;
}
export interface PortCounters {
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
}
export interface PortRates {
  readonly rxPacketsPerSecond: number;
  readonly txPacketsPerSecond: number;
  readonly rxBitsPerSecond: number;
  readonly txBitsPerSecond: number;
}
export interface Port {
  readonly bridge: string;
  readonly name: string;
  readonly number: number;
  readonly kind: string;
  readonly mac: string;
  readonly state: string;
  readonly vif: Vif | null;
  readonly counters: PortCounters;
  readonly rates: PortRates;
}
export interface PortList {
  readonly ports: readonly Port[];
}

export interface PortSetting {
  readonly name: string;
  readonly value: string;
}
export interface TableSetting {
  readonly name: string;
  readonly value: string;
}
export interface SetTableRequest extends BridgeFilter {
  readonly table: number;
  readonly settings: readonly TableSetting[];
}
export interface SetTableReply {
  readonly settings: readonly TableSetting[];
}
export interface SetPortRequest {
  readonly port: string;
  readonly settings: readonly PortSetting[];
}
export interface SetPortReply {
  readonly settings: readonly PortSetting[];
}

export interface Flow {
  readonly bridge: string;
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationMs: bigint;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly text: string;
  readonly owner: string;
  readonly rule: string;
  readonly file: string;
  readonly line: number;
}

export interface TraceRequest extends BridgeFilter {
  readonly packet: string;
}
export interface TraceReply {
  readonly report: string;
}

export interface ExportFlowsRequest extends BridgeFilter {
  readonly name: string;
}
export interface ExportFlowsReply {
  readonly text: string;
}

export interface DocumentFile {
  readonly name: string;
  readonly text: string;
}
export interface ApplyDocumentsRequest {
  readonly bridge: string;
  readonly files: readonly DocumentFile[];
  readonly prune: boolean;
  readonly confirmMs: number;
  readonly format: string;
}
export interface Change {
  readonly kind: string;
  readonly what: string;
  readonly text: string;
  readonly before: string;
  readonly rule: string;
  readonly file: string;
  readonly line: number;
}
export interface DocumentsReply {
  readonly errors: number;
  readonly warnings: number;
  readonly report: string;
  readonly changes: readonly Change[];
  readonly unchanged: bigint;
  readonly stale: readonly string[];
  readonly removed: readonly string[];
  readonly waiting: readonly string[];
  readonly token: string;
}
export interface ConfirmDocumentsRequest extends BridgeFilter {
  readonly token: string;
}
export interface DeleteDocumentsRequest {
  readonly bridge: string;
  readonly names: readonly string[];
}
export interface Document {
  readonly bridge: string;
  readonly owner: string;
  readonly name: string;
  readonly kind: string;
  readonly file: string;
  readonly appliedMs: bigint;
  readonly flows: bigint;
  readonly waitingFlows: bigint;
  readonly waitingPorts: readonly string[];
  readonly unconfirmed: boolean;
  readonly problem: string;
}
export interface ListDocumentsReply {
  readonly documents: readonly Document[];
}
export interface ChainInstance {
  readonly bridge: string;
  readonly chain: string;
  readonly hop: string;
  readonly direction: string;
  readonly mode: string;
  readonly instance: string;
  readonly groups: readonly number[];
  readonly packetsIn: bigint;
  readonly returned: { readonly packetsOut: bigint; readonly lost: bigint } | null;
  readonly state: string;
  readonly sinceMs: bigint;
  readonly reason: string;
  readonly latency: { readonly minMs: number; readonly averageMs: number; readonly samples: number } | null;
}
export interface ListChainsReply {
  readonly instances: readonly ChainInstance[];
}
export interface ListFlowsReply {
  readonly flows: readonly Flow[];
}

export interface Worker {
  readonly busyNs: bigint;
  readonly idleNs: bigint;
  readonly batches: bigint;
  readonly packets: bigint;
}
export interface Drop {
  readonly port: string;
  readonly direction: string;
  readonly reason: string;
  readonly packets: bigint;
}
export interface BridgeStats {
  readonly bridge: string;
  readonly version: bigint;
  readonly rules: bigint;
  readonly subtables: bigint;
  readonly ruleMemoryBytes: bigint;
  readonly upcalls: bigint;
  readonly upcallsDropped: bigint;
  readonly workers: readonly Worker[];
  readonly drops: readonly Drop[];
  readonly learned: bigint;
  readonly learnsDropped: bigint;
}
export interface GetStatsReply {
  readonly bridges: readonly BridgeStats[];
}

export interface AddGuestRequest {
  readonly name: string;
  readonly bridge: string;
  readonly mac: string;
  readonly ip: string;
  readonly tap: string;
  readonly netns: string;
  readonly queues: number;
  readonly noSg: boolean;
  readonly noGso: boolean;
  readonly mtu: number;
}
export interface Guest {
  readonly name: string;
  readonly domid: number;
  readonly bridge: string;
  readonly port: string;
  readonly mac: string;
  readonly ip: string;
  readonly tap: string;
  readonly state: string;
}
export interface RemoveGuestRequest {
  readonly name: string;
}
export interface ListGuestsReply {
  readonly guests: readonly Guest[];
}

export interface PingRequest {
  readonly guest: string;
  readonly address: string;
  readonly count: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly size: number;
}
export interface PingReply {
  readonly sent: number;
  readonly received: number;
  readonly rttUs: readonly number[];
}

export interface WatchRequest extends BridgeFilter {
  readonly intervalMs: number;
}
export interface BridgeEvent {
  readonly bridge: string;
  readonly text: string;
}
export type WatchEvent =
  | { readonly event: 'ports'; readonly ports: PortList }
  | { readonly event: 'bridge'; readonly bridge: BridgeEvent };

type Empty = Readonly<Record<string, never>>;

/** Calls with one reply: name in lower camel case → request and reply. */
export interface UnaryCalls {
  readonly show: { readonly request: Empty; readonly reply: ShowReply };
  readonly listPorts: { readonly request: BridgeFilter; readonly reply: PortList };
  readonly setPort: { readonly request: SetPortRequest; readonly reply: SetPortReply };
  readonly setTable: { readonly request: SetTableRequest; readonly reply: SetTableReply };
  readonly listFlows: { readonly request: BridgeFilter; readonly reply: ListFlowsReply };
  readonly exportFlows: { readonly request: ExportFlowsRequest; readonly reply: ExportFlowsReply };
  readonly trace: { readonly request: TraceRequest; readonly reply: TraceReply };
  readonly traceChains: { readonly request: TraceRequest; readonly reply: TraceReply };
  readonly getStats: { readonly request: BridgeFilter; readonly reply: GetStatsReply };
  readonly addGuest: { readonly request: AddGuestRequest; readonly reply: Guest };
  readonly removeGuest: { readonly request: RemoveGuestRequest; readonly reply: Empty };
  readonly listGuests: { readonly request: Empty; readonly reply: ListGuestsReply };
  readonly planDocuments: { readonly request: ApplyDocumentsRequest; readonly reply: DocumentsReply };
  readonly applyDocuments: { readonly request: ApplyDocumentsRequest; readonly reply: DocumentsReply };
  readonly confirmDocuments: { readonly request: ConfirmDocumentsRequest; readonly reply: Empty };
  readonly deleteDocuments: { readonly request: DeleteDocumentsRequest; readonly reply: DocumentsReply };
  readonly listDocuments: { readonly request: BridgeFilter; readonly reply: ListDocumentsReply };
  readonly listChains: { readonly request: BridgeFilter; readonly reply: ListChainsReply };
  readonly ping: { readonly request: PingRequest; readonly reply: PingReply };
}
export type UnaryName = keyof UnaryCalls;
export type RequestOf<Name extends UnaryName> = UnaryCalls[Name]['request'];
export type ReplyOf<Name extends UnaryName> = UnaryCalls[Name]['reply'];

/** What stands behind the server: one function per call. A rejection becomes the call's error, see server.ts. */
export type ApiHandlers = {
  readonly [Name in UnaryName]: (request: RequestOf<Name>) => Promise<ReplyOf<Name>> | ReplyOf<Name>;
} & {
  /** Sends until the returned function is called. */
  readonly watch: (request: WatchRequest, send: (event: WatchEvent) => void) => () => void;
};
