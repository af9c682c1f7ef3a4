/** Where controllers are and where they may come from, in the words of Open vSwitch (ovs-vsctl(8), "Controller"). */
import { DEFAULT_PORT, UNIX_PATH_BYTES_MAX } from './limits.js';

/** Something to connect to. */
export type ActiveTarget =
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Something to listen on. */
export type PassiveTarget =
  | { readonly kind: 'ptcp' | 'pssl'; readonly host: string; readonly port: number }
  | { readonly kind: 'punix'; readonly path: string };

export type Target = ActiveTarget | PassiveTarget;

export class TargetError extends Error {
  override readonly name = 'TargetError';
}

function parsePort(text: string, target: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new TargetError(`"${target}": "${text}" is not a port number`);
  return port;
}

function parsePath(path: string, target: string): string {
  if (path === '') throw new TargetError(`"${target}": expected a path`);
  if (path.includes('\0')) throw new TargetError('a path cannot contain a NUL');
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    throw new TargetError(`"${target}": the path of a socket has at most ${UNIX_PATH_BYTES_MAX} bytes`);
  }
  return path;
}

/**
 * `tcp:HOST[:PORT]`, `ptcp:[PORT][:HOST]`, with TLS `ssl:` and `pssl:`; `unix:PATH`, `punix:PATH`. IPv6 addresses stand
 * in brackets.
 */
export function parseTarget(target: string): Target {
  const [, kind, rest] = /^([a-z]+):(.*)$/s.exec(target) ?? [];
  switch (kind) {
    case 'tcp':
    case 'ssl': {
      const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(.*))?$/.exec(rest!) ?? [];
      const host = bracketed ?? plain;
      if (host === undefined) throw new TargetError(`"${target}": expected ${kind}:HOST[:PORT]`);
      const number = port === undefined ? DEFAULT_PORT : parsePort(port, target);
      if (number === 0) throw new TargetError(`"${target}": nobody listens on port 0`);
      return { kind, host, port: number };
    }
    case 'ptcp':
    case 'pssl': {
      const [, port, bracketed, plain] = /^(\d*)(?::(?:\[([^\]]+)\]|([^:[\]]+)))?$/.exec(rest!) ?? [];
      if (port === undefined) throw new TargetError(`"${target}": expected ${kind}:[PORT][:HOST]`);
      const host = bracketed ?? plain ?? '0.0.0.0';
      return { kind, host, port: port === '' ? DEFAULT_PORT : parsePort(port, target) };
    }
    case 'unix':
    case 'punix':
      return { kind, path: parsePath(rest!, target) };
    default:
      throw new TargetError(`"${target}": expected tcp:, ssl:, ptcp:, pssl:, unix: or punix:`);
  }
}

export function isActive(target: Target): target is ActiveTarget {
  return target.kind === 'tcp' || target.kind === 'ssl' || target.kind === 'unix';
}

/** Whether it needs our key, certificate and CA. */
export function needsTls(text: string): boolean {
  return /^p?ssl:/.test(text);
}

export function parseActive(text: string): ActiveTarget {
  const target = parseTarget(text);
  if (!isActive(target)) throw new TargetError(`"${text}": expected something to connect to, tcp:, ssl: or unix:`);
  return target;
}

export function parsePassive(text: string): PassiveTarget {
  const target = parseTarget(text);
  if (isActive(target)) throw new TargetError(`"${text}": expected something to listen on, ptcp:, pssl: or punix:`);
  return target;
}

export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'tcp':
    case 'ssl':
      return `${target.kind}:${bracketed(target.host)}:${target.port}`;
    case 'ptcp':
    case 'pssl':
      return `${target.kind}:${target.port}:${bracketed(target.host)}`;
    case 'unix':
    case 'punix':
      return `${target.kind}:${target.path}`;
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
