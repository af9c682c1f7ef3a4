/** Metrics over HTTP, at /metrics, for whoever can reach the port: bounded in connections, time and work. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { systemClock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { SharedReadings } from '../base/shared-readings.js';

const CONNECTIONS_MAX = 16;
const REQUEST_MS = 5000;
/** Whoever asks more often gets the same answer. */
const FRESH_MS = 1000;
const HEADER_BYTES_MAX = 8192;
/** Of Prometheus' text format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface HttpEndpoint {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface MetricsLimits {
  /** For a request, and for its answer to be taken. */
  readonly requestMs?: number;
  readonly freshMs?: number;
}

export class MetricsServer {
  readonly #server: Server;
  readonly #read: () => Promise<string>;
  readonly #logger: Logger;
  readonly #requestMs: number;
  readonly #freshMs: number;
  /** Who asks meanwhile, or soon after, gets the same answer. */
  readonly #readings = new SharedReadings<string>(systemClock);

  private constructor(read: () => Promise<string>, logger: Logger, limits: MetricsLimits) {
    this.#read = read;
    this.#logger = logger;
    const { requestMs = REQUEST_MS, freshMs = FRESH_MS } = limits;
    this.#requestMs = requestMs;
    this.#freshMs = freshMs;
    const timeouts = { headersTimeout: requestMs, requestTimeout: requestMs, keepAliveTimeout: requestMs };
    this.#server = createServer({ ...timeouts, maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    // Whatever they wait for.
    this.#server.timeout = requestMs;
  }

  /** Rejects with the system's error. */
  static async listen(
    { host, port }: HttpEndpoint,
    read: () => Promise<string>,
    logger: Logger,
    limits: MetricsLimits = {},
  ): Promise<MetricsServer> {
    const self = new MetricsServer(read, logger, limits);
    self.#server.listen(port, host);
    await once(self.#server, 'listening');
    self.#server.on('error', (error) => logger.error({ err: error }, 'metrics'));
    return self;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many there are. */
  async connections(): Promise<number> {
    return promisify(this.#server.getConnections.bind(this.#server))();
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const isOurs = url?.split('?')[0] === '/metrics';
    if (!isOurs) response.writeHead(404).end();
    else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else
      try {
        const text = await this.#readings.of('all', this.#freshMs, this.#read);
        this.#endsInTime(response);
        response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(text);
      } catch (error) {
        this.#logger.error({ err: error }, 'metrics could not be read');
        response.writeHead(500).end();
      }
  }

  /** Who takes it a few bytes at a time is not idle, and does not have his connection for ever all the same. */
  #endsInTime(response: ServerResponse): void {
    const late = setTimeout(() => response.socket?.destroy(), this.#requestMs);
    response.on('close', () => clearTimeout(late));
  }

  /** Ends requests under way. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
