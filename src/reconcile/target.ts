/** Where a switch listens: `tcp:HOST[:PORT]` or `unix:PATH`. */
import { connect, type Socket } from 'node:net';

const DEFAULT_PORT = 6653;

/** Undefined where the text is no such place. */
export function connectTo(target: string): Socket | undefined {
  const unix = /^unix:(.+)$/.exec(target);
  if (unix !== null) return connect(unix[1]!);
  const tcp = /^tcp:(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(target);
  if (tcp === null || Number(tcp[3] ?? DEFAULT_PORT) > 0xffff) return undefined;
  return connect(Number(tcp[3] ?? DEFAULT_PORT), tcp[1] ?? tcp[2]!);
}
