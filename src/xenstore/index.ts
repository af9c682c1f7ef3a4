export { XenstoreClient, type XenstoreTransaction, type XenstoreWatch } from './client.js';
export { connectXenstored } from './connect.js';
export { DeviceTransport, XENBUS_DEVICE } from './device.js';
export { EmulatedXenstore, type EmulatedXenstoreUsage } from './emulated/daemon.js';
export { isXenstoreError, XenstoreError, type XenstoreErrorCode } from './error.js';
export { DOMID_MAX, type Permission } from './permissions.js';
export { SocketTransport, XENSTORED_SOCKET, xenstoredPath } from './socket.js';
export type { TransportListener, XenstoreTransport } from './transport.js';
export type { WatchListener } from './watch-queue.js';
