/** The gRPC library, for those who load it late: what a bundle makes of a CommonJS package is only whole by a static import. */
import * as grpc from '@grpc/grpc-js';

export { grpc };
