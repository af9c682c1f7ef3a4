/** Command line of the controller. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly host: string;
  readonly port: number;
  readonly idleTimeout: number;
}

export const usage = `usage: node main.js [--listen HOST:PORT] [--idle-timeout SECONDS]
  --listen        where switches connect to (default 127.0.0.1:6653; port 0: any free one)
  --idle-timeout  seconds without a packet after which a flow goes (default 60)`;

/** Throws Error with a sentence. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: { type: 'string', default: '127.0.0.1:6653' },
      'idle-timeout': { type: 'string', default: '60' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(values.listen) ?? [];
  const portNumber = Number(port ?? Number.NaN);
  const host = bracketed ?? plain;
  if (host === undefined || !(portNumber <= 65_535)) throw new Error(`--listen ${values.listen}: expected HOST:PORT`);
  const idle = values['idle-timeout'];
  if (!/^\d{1,5}$/.test(idle) || Number(idle) > 65_535) throw new Error(`--idle-timeout ${idle}: expected 0 to 65535`);
  return { host: host === '' ? '0.0.0.0' : host, port: portNumber, idleTimeout: Number(idle) };
}
