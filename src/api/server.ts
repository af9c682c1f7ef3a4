/** Serves xvif.proto on a unix socket: request → call → reply. */
import { chmodSync, rmSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { messageOf } from '../base/error.js';
import type { Logger } from '../base/logger.js';
import { Refusal, type RefusalKind } from '../bridge/refusal.js';
import { loadContract, MESSAGE_BYTES_MAX } from './contract.js';
import type { ApiHandlers, UnaryName, WatchEvent, WatchRequest } from './messages.js';

/** Events a watcher may leave unread; a slower one loses those that follow, rates make up for it by themselves. */
const WATCH_BACKLOG_MAX = 256;

/** What a handler throws beside a {@link Refusal} is answered as INTERNAL, and logged. */
const statusOf: Readonly<Record<RefusalKind, grpc.status>> = {
  notFound: grpc.status.NOT_FOUND,
  invalid: grpc.status.INVALID_ARGUMENT,
  exists: grpc.status.ALREADY_EXISTS,
  unavailable: grpc.status.FAILED_PRECONDITION,
};

export class ApiServer {
  readonly #server = new grpc.Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  });
  readonly #path: string;
  readonly #logger: Logger;

  private constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** Rejects with the system's error when the socket cannot be made. */
  static async listen(path: string, handlers: ApiHandlers, logger: Logger): Promise<ApiServer> {
    const api = new ApiServer(path, logger);
    api.#server.addService(loadContract(), api.#implementation(handlers));
    await new Promise<void>((resolve, reject) => {
      api.#server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    chmodSync(path, 0o600);
    return api;
  }

  /** Ends calls under way and removes the socket. May be called again. */
  close(): void {
    this.#server.forceShutdown();
    rmSync(this.#path, { force: true });
  }

  #implementation(handlers: ApiHandlers): grpc.UntypedServiceImplementation {
    const { watch, ...unary } = handlers;
    const calls: Record<string, grpc.UntypedHandleCall> = { watch: this.#watchCall(watch) };
    for (const name of Object.keys(unary) as UnaryName[]) {
      const handler = handlers[name] as (request: object) => Promise<object> | object;
      calls[name] = (call: grpc.ServerUnaryCall<object, object>, callback: grpc.sendUnaryData<object>) => {
        this.#answer(name, handler, call.request, callback);
      };
    }
    return calls;
  }

  /** A boundary: whatever a handler throws ends here, as the error of this one call. */
  async #answer(
    name: UnaryName,
    handler: (request: object) => Promise<object> | object,
    request: object,
    callback: grpc.sendUnaryData<object>,
  ): Promise<void> {
    try {
      callback(null, await handler(request));
    } catch (error) {
      callback(this.#statusOf(name, error));
    }
  }

  #watchCall(watch: ApiHandlers['watch']): grpc.handleServerStreamingCall<WatchRequest, WatchEvent> {
    return (call) => {
      const send = (event: WatchEvent) => {
        if (call.writableLength < WATCH_BACKLOG_MAX) call.write(event);
      };
      try {
        const stop = watch(call.request, send);
        call.on('cancelled', stop);
      } catch (error) {
        call.emit('error', this.#statusOf('watch', error));
      }
    };
  }

  #statusOf(name: string, error: unknown): grpc.StatusObject {
    const details = messageOf(error);
    if (error instanceof Refusal) return { code: statusOf[error.kind], details, metadata: new grpc.Metadata() };
    this.#logger.error({ err: error, call: name }, 'a call of the API failed');
    return { code: grpc.status.INTERNAL, details, metadata: new grpc.Metadata() };
  }
}
