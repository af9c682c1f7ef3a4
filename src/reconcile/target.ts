/** Where a switch listens: `tcp:HOST[:PORT]`, `ssl:HOST[:PORT]` or `unix:PATH`. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '../base/error.js';

const DEFAULT_PORT = 6653;

/** Paths of PEM files, with the meaning they have for ovs-ofctl(8). */
export interface TlsFiles {
  readonly privateKey?: string;
  readonly certificate?: string;
  readonly caCert?: string;
}

/** Rejects with a sentence where the text is no such place, nobody is there, or the other end cannot be trusted. */
export function connectTo(target: string, files: TlsFiles = {}): Promise<Socket> {
  const unix = /^unix:(.+)$/.exec(target);
  if (unix !== null) return connected(connect(unix[1]!), 'connect');
  const [, kind, bracketed, plain, digits] =
    /^(tcp|ssl):(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(target) ?? [];
  const port = Number(digits ?? DEFAULT_PORT);
  const host = bracketed ?? plain;
  if (host === undefined || port === 0 || port > 0xffff) {
    return Promise.reject(new Error('expected tcp:HOST[:PORT], ssl:HOST[:PORT] or unix:PATH'));
  }
  if (kind === 'tcp') return connected(connect(port, host), 'connect');
  return secured(host, port, files);
}

/** As with Open vSwitch whoever has a certificate of the CA is trusted, whatever the name in it. */
async function secured(host: string, port: number, { privateKey, certificate, caCert }: TlsFiles): Promise<Socket> {
  if (privateKey === undefined || certificate === undefined || caCert === undefined) {
    throw new Error('ssl: needs --private-key, --certificate and --ca-cert');
  }
  const [key, cert, ca] = [privateKey, certificate, caCert].map((path) => readFileSync(path));
  const options = { host, port, key, cert, ca, minVersion: 'TLSv1.2' as const, checkServerIdentity: () => undefined };
  try {
    return await connected(connectTls(options), 'secureConnect');
  } catch (error) {
    throw new Error(`TLS: ${messageOf(error)}`, { cause: error });
  }
}

function connected<S extends Socket>(socket: S, event: string): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(event, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
