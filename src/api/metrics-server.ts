/** Metrics over HTTP, at /metrics, for whoever can reach the port: bounded in connections, time and work. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../base/logger.js';

const CONNECTIONS_MAX = 16;
const REQUEST_MS = 5000;
const HEADER_BYTES_MAX = 8192;
/** Of Prometheus' text format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface HttpEndpoint {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export class MetricsServer {
  readonly #server: Server;
  readonly #read: () => Promise<string>;
  readonly #logger: Logger;
  /** Those who ask meanwhile get the same answer. */
  #reading: Promise<string> | undefined;

  private constructor(read: () => Promise<string>, logger: Logger) {
    this.#read = read;
    this.#logger = logger;
    const timeouts = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS };
    this.#server = createServer({ ...timeouts, maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Rejects with the system's error. */
  static async listen(
    { host, port }: HttpEndpoint,
    read: () => Promise<string>,
    logger: Logger,
  ): Promise<MetricsServer> {
    const self = new MetricsServer(read, logger);
    self.#server.listen(port, host);
    await once(self.#server, 'listening');
    self.#server.on('error', (error) => logger.error({ err: error }, 'metrics'));
    return self;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const isOurs = url?.split('?')[0] === '/metrics';
    if (!isOurs) response.writeHead(404).end();
    else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else
      try {
        this.#reading ??= this.#read().finally(() => {
          this.#reading = undefined;
        });
        const text = await this.#reading;
        response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(text);
      } catch (error) {
        this.#logger.error({ err: error }, 'metrics could not be read');
        response.writeHead(500).end();
      }
  }

  /** Ends requests under way. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
