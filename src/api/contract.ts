/**
 * The gRPC service definition, made from xvif.proto by protobufjs at start: the file is the contract, no code is
 * generated from it. 64-bit integers are bigint on our side, whatever their value.
 */
import { join } from 'node:path';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { packageRoot } from '../base/package-root.js';

/** Largest message either side takes: a dump of some hundred thousand flows. */
export const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;

const protoPath = join(packageRoot, 'src/api/xvif.proto');

const toObjectOptions = { longs: BigInt, defaults: true, arrays: true, oneofs: true } as const;

interface Codec {
  readonly serialize: (value: object) => Buffer;
  readonly deserialize: (bytes: Buffer) => object;
}

function codec(type: protobuf.Type): Codec {
  return {
    serialize: (value) => Buffer.from(type.encode(type.fromObject(value)).finish()),
    deserialize: (bytes) => type.toObject(type.decode(bytes), toObjectOptions),
  };
}

function methodDefinition(method: protobuf.Method, service: protobuf.Service): MethodDefinition<object, object> {
  const request = codec(service.lookupType(method.requestType));
  const reply = codec(service.lookupType(method.responseType));
  return {
    path: `/${service.fullName.replace(/^\./, '')}/${method.name}`,
    requestStream: method.requestStream ?? false,
    responseStream: method.responseStream ?? false,
    requestSerialize: request.serialize,
    requestDeserialize: request.deserialize,
    responseSerialize: reply.serialize,
    responseDeserialize: reply.deserialize,
  };
}

/** Keys are the names of the calls in lower camel case, as in messages.ts. */
export function loadContract(): ServiceDefinition {
  const service = protobuf.loadSync(protoPath).lookupService('xvif.v1.Xvif');
  return Object.fromEntries(
    service.methodsArray.map((method) => [
      `${method.name[0]!.toLowerCase()}${method.name.slice(1)}`,
      methodDefinition(method, service),
    ]),
  );
}
