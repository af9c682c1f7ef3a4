/** Client of xvif.proto over a unix socket. */
import type * as grpc from '@grpc/grpc-js';
import type { ReplyOf, RequestOf, UnaryName, WatchEvent, WatchRequest } from './messages.js';

const CALL_TIMEOUT_MS = 10_000;
/** gRPC's, without loading it. */
const CANCELLED: grpc.status = 1;

/** A call failed: the daemon's own words, or that it could not be reached. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: grpc.status;

  constructor(code: grpc.status, message: string) {
    super(message);
    this.code = code;
  }
}

/** Requests may leave out fields: they are sent with their defaults, which are zero and the empty string. */
type Given<Name extends UnaryName> = Partial<RequestOf<Name>>;

/** What a first call loads and opens: many commands make none. */
interface Connection {
  readonly library: typeof grpc;
  readonly client: grpc.Client;
  readonly contract: grpc.ServiceDefinition;
}

async function connect(path: string): Promise<Connection> {
  const [{ grpc: library }, { loadContract, MESSAGE_BYTES_MAX }] = await Promise.all([
    import('./grpc.js'),
    import('./contract.js'),
  ]);
  const client = new library.Client(`unix:${path}`, library.credentials.createInsecure(), {
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  });
  return { library, client, contract: loadContract() };
}

export class ApiClient {
  #connected: Promise<Connection> | undefined;
  #closed = false;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;

  /** Calls under way end with an error when `signal` aborts. */
  constructor(path: string, options: { readonly signal?: AbortSignal } = {}) {
    this.#path = path;
    this.#signal = options.signal;
  }

  #connection(): Promise<Connection> {
    // Nobody would close another channel.
    if (this.#closed) return Promise.reject(new ApiError(CANCELLED, 'the client is closed'));
    this.#connected ??= connect(this.#path);
    return this.#connected;
  }

  /** Rejects with {@link ApiError}. */
  async call<Name extends UnaryName>(
    name: Name,
    request: Given<Name>,
    timeoutMs: number = CALL_TIMEOUT_MS,
  ): Promise<ReplyOf<Name>> {
    const { library, client, contract } = await this.#connection();
    const method = contract[name]!;
    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new library.Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, reply) => {
          this.#signal?.removeEventListener('abort', cancel);
          if (error === null) resolve(reply as ReplyOf<Name>);
          else reject(this.#error(error, library));
        },
      );
      const cancel = () => call.cancel();
      this.#signal?.addEventListener('abort', cancel, { once: true });
      if (this.#signal?.aborted) cancel();
    });
  }

  /** Calls back per event until `signal` aborts; resolves then, and rejects with {@link ApiError} when cut off. */
  async watch(
    request: Partial<WatchRequest>,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { library, client, contract } = await this.#connection();
    const method = contract.watch!;
    const stream = client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
    );
    signal.addEventListener('abort', () => stream.cancel(), { once: true });
    return new Promise((resolve, reject) => {
      stream.on('data', (event: WatchEvent) => onEvent(event));
      stream.on('end', () => resolve());
      stream.on('error', (error: grpc.ServiceError) =>
        signal.aborted ? resolve() : reject(this.#error(error, library)),
      );
      if (signal.aborted) stream.cancel();
    });
  }

  /** Calls that are made afterwards reject. */
  close(): void {
    this.#closed = true;
    void this.#connected?.then(
      ({ client }) => client.close(),
      () => undefined,
    );
  }

  #error(error: grpc.ServiceError, { status }: typeof grpc): ApiError {
    switch (error.code) {
      case status.UNAVAILABLE:
        return new ApiError(error.code, `cannot reach xvifd at ${this.#path}: is it running?`);
      case status.DEADLINE_EXCEEDED:
        return new ApiError(error.code, `xvifd at ${this.#path} did not answer in time`);
      default:
        return new ApiError(error.code, error.details);
    }
  }
}
