/** The command line of `xvifd`, as a value. */
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { HttpEndpoint } from '../api/metrics-server.js';
import { defaultRunDir, defaultStateDir, type RunDirSources } from '../api/run-dir.js';
import type { LogLevel } from '../base/logger.js';
import { decimal } from '../cli/arguments.js';
import { WORKERS_MAX } from '../datapath/native-addon.js';
import { CAPABILITIES, type Capability } from '../host/run-as.js';
import type { BridgeConfig, DaemonConfig } from '../main.js';
import {
  AUXILIARY_MAX,
  needsTls,
  PROTOCOLS,
  parseActive,
  parsePassive,
  type TlsFiles,
  targetOf,
} from '../openflow/index.js';
import { type EndpointOption, endpointOption, type ProtocolsOption, protocolsOption } from './endpoint-option.js';
import { type PortOption, portOption } from './port-option.js';
import { type TableOption, tableOption } from './table-option.js';

interface RawOptions {
  readonly runDir?: string;
  readonly stateDir?: string;
  readonly bridge: readonly string[];
  readonly controller: readonly EndpointOption[];
  readonly failMode: 'secure' | 'standalone';
  readonly listen: readonly EndpointOption[];
  readonly protocols: readonly ProtocolsOption[];
  readonly auxiliaryConnections?: number;
  readonly privateKey?: string;
  readonly certificate?: string;
  readonly caCert?: string;
  readonly bootstrapCaCert?: string;
  readonly metrics?: HttpEndpoint;
  readonly workers: number;
  readonly hypervisor: 'auto' | 'emulated' | 'xen';
  readonly logLevel: LogLevel;
  readonly datapathId?: bigint;
  readonly local: 'auto' | 'tap' | 'null';
  readonly port: readonly PortOption[];
  readonly table: readonly TableOption[];
  readonly user?: readonly [user: string, group: string | undefined];
  readonly keepCapability: readonly Capability[];
}

/** What options that were not given depend on. */
export interface OptionSources extends RunDirSources {
  /** Xen's devices are there. */
  readonly xen: boolean;
}

export interface XvifdOptions {
  readonly config: DaemonConfig;
  readonly logLevel: LogLevel;
}

function append<Value>(parse: (text: string) => Value): (text: string, before: readonly Value[]) => readonly Value[] {
  return (text, before) => [...before, parse(text)];
}

/** A name that can stand in a file name and, for the LOCAL port, be a kernel interface's. */
function bridgeName(text: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_-]{0,14}$/.test(text)) {
    throw new InvalidArgumentError('expected a name of up to 15 letters, digits, "-" and "_".');
  }
  return text;
}

function datapathId(text: string): bigint {
  const digits = text.replace(/^0x/i, '').replaceAll(':', '');
  if (!/^[0-9a-f]{1,16}$/i.test(digits)) throw new InvalidArgumentError('expected up to 16 hexadecimal digits.');
  const id = BigInt(`0x${digits}`);
  if (id === 0n) throw new InvalidArgumentError('expected a number that is not zero.');
  return id;
}

/** HOST:PORT, an IPv6 address in brackets. */
function httpEndpoint(text: string): HttpEndpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 0xffff)
    throw new InvalidArgumentError('expected HOST:PORT, or [ADDRESS]:PORT for IPv6.');
  return { host: match[1] ?? match[2]!, port };
}

/** USER[:GROUP] */
function userAndGroup(text: string): readonly [string, string | undefined] {
  const match = /^([^:]+)(?::([^:]+))?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected USER or USER:GROUP.');
  return [match[1]!, match[2]];
}

function capability(text: string): Capability {
  const name = CAPABILITIES.find((one) => one === text);
  if (name === undefined) throw new InvalidArgumentError(`expected ${CAPABILITIES.join(' or ')}.`);
  return name;
}

function createCommand(version: string): Command {
  return new Command('xvifd')
    .description('an OpenFlow switch whose ports are the network interfaces of Xen guests')
    .version(version)
    .option('--run-dir <path>', 'directory of the sockets (default: /run/xvif, XDG_RUNTIME_DIR/xvif or /tmp/xvif-UID)')
    .option(
      '--state-dir <path>',
      'directory of what is kept over restarts (default: RUN-DIR/state with --run-dir, else /var/lib/xvif or XDG_STATE_HOME/xvif)',
    )
    .option('--bridge <name>', 'a bridge; may be repeated (default: br0)', append(bridgeName), [])
    .option(
      '--controller <[bridge/]target[,protocols]>',
      'connect to tcp:HOST:PORT or ssl:HOST:PORT, every bridge where none is named; may be repeated',
      append(endpointOption(parseActive)),
      [],
    )
    .addOption(
      new Option('--fail-mode <mode>', 'without a controller: drop, or switch by learning')
        .choices(['secure', 'standalone'])
        .default('secure'),
    )
    .option(
      '--listen <[bridge/]target[,protocols]>',
      'let controllers connect to ptcp:PORT[:HOST] or pssl:PORT[:HOST]; may be repeated',
      append(endpointOption(parsePassive)),
      [],
    )
    .option(
      '--protocols <[bridge/]names>',
      `versions of OpenFlow for controllers that are named without (default: ${PROTOCOLS.join(',')})`,
      append(protocolsOption),
      [],
    )
    .option(
      '--auxiliary-connections <number>',
      'connections to each controller beside the main one',
      decimal(0, AUXILIARY_MAX),
    )
    .option('-p, --private-key <file>', 'for TLS (ssl:, pssl:): our private key, PEM')
    .option('-c, --certificate <file>', 'for TLS: our certificate, PEM')
    .option('-C, --ca-cert <file>', 'for TLS: certificate of the authority that the other ends have theirs from, PEM')
    .option('--bootstrap-ca-cert <file>', 'as --ca-cert; if it does not exist, what the first peer sends becomes it')
    .option('--metrics <host:port>', 'tell Prometheus of service chains, at http://HOST:PORT/metrics', httpEndpoint)
    .option('--workers <number>', 'threads that move packets', decimal(1, WORKERS_MAX), 1)
    .addOption(
      new Option('--hypervisor <name>', 'where guests live; auto: xen if its devices are there')
        .choices(['auto', 'emulated', 'xen'])
        .default('auto'),
    )
    .addOption(
      new Option('--log-level <level>', 'least level of what is logged to standard error')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .option('--datapath-id <hex>', 'of the only bridge (default: made from host and bridge name)', datapathId)
    .addOption(
      new Option('--local <kind>', 'the LOCAL port: a TAP device named like the bridge, or none to be seen')
        .choices(['auto', 'tap', 'null'])
        .default('auto'),
    )
    .option('--port <[bridge/]name=kind>', 'a port: packet:eth1, tap:tap0, pcap:FILE, null', append(portOption), [])
    .option(
      '--table <[bridge/]table=flows[,evict]>',
      'what a table takes, TABLE a number or all',
      append(tableOption),
      [],
    )
    .option('--user <user[:group]>', 'go on as this user, without privileges, once everything is open', userAndGroup)
    .option(
      '--keep-capability <name>',
      'with --user: net_admin or net_raw, to make TAP and packet ports later; may be repeated',
      append(capability),
      [],
    )
    .exitOverride();
}

/** Throws CommanderError for wrong use, --help and --version, having printed why. */
export function parseOptions(args: readonly string[], version: string, sources: OptionSources): XvifdOptions {
  const command: Command = createCommand(version);
  command.parse(args, { from: 'user' });
  const raw = command.opts<RawOptions>();
  const names = raw.bridge.length === 0 ? ['br0'] : raw.bridge;
  const [first] = names;
  if (new Set(names).size < names.length) command.error('error: a --bridge is named twice');
  if (names.length > 1 && raw.datapathId !== undefined) command.error('error: --datapath-id is for a single bridge');
  const shared = raw.listen.find(({ bridge }) => bridge === undefined);
  if (names.length > 1 && shared !== undefined) {
    const target = targetOf(shared.endpoint);
    command.error(`error: --listen ${target}: of several bridges one has to be named, as in ${first}/${target}`);
  }
  for (const name of ['port', 'table', 'controller', 'listen', 'protocols'] as const) {
    const lost = raw[name].find(({ bridge }) => bridge !== undefined && !names.includes(bridge));
    if (lost !== undefined) command.error(`error: --${name}: there is no bridge ${lost.bridge}`);
  }

  if (raw.keepCapability.length > 0 && raw.user === undefined) command.error('error: --keep-capability needs --user');

  const tls = tlsFiles(raw);
  const secured = [...raw.controller, ...raw.listen].map(({ endpoint }) => targetOf(endpoint)).find(needsTls);
  if (typeof tls === 'string') command.error(`error: ${tls}`);
  if (secured !== undefined && tls === undefined) {
    command.error(`error: ${secured} needs --private-key, --certificate and --ca-cert`);
  }

  const local = raw.local === 'auto' ? (sources.uid === 0 ? 'tap' : 'null') : raw.local;
  const bridges = names.map((name): BridgeConfig => {
    const isOurs = ({ bridge }: { readonly bridge: string | undefined }) => (bridge ?? name) === name;
    return {
      name,
      datapathId: raw.datapathId,
      failMode: raw.failMode,
      controllers: raw.controller.filter(isOurs).map(({ endpoint }) => endpoint),
      listen: raw.listen.filter(isOurs).map(({ endpoint }) => endpoint),
      protocols: raw.protocols.findLast(isOurs)?.versions,
      auxiliaries: raw.auxiliaryConnections,
      tableLimits: raw.table.filter(isOurs).map(({ bridge: _, ...limit }) => limit),
      local,
      ports: raw.port.filter(({ bridge }) => (bridge ?? first) === name).map(({ name, spec }) => ({ name, spec })),
    };
  });
  const { workers, logLevel, keepCapability: keep, metrics } = raw;
  const hypervisor = raw.hypervisor === 'auto' ? (sources.xen ? 'xen' : 'emulated') : raw.hypervisor;
  const runAs = raw.user && { user: raw.user[0], group: raw.user[1], keep };
  const runDir = raw.runDir ?? defaultRunDir(sources);
  const stateDir = raw.stateDir ?? (raw.runDir === undefined ? defaultStateDir(sources) : join(raw.runDir, 'state'));
  return { config: { runDir, stateDir, workers, hypervisor, bridges, tls, runAs, metrics }, logLevel };
}

/** Undefined: none are given. A sentence: some are missing, or contradict each other. */
function tlsFiles({ privateKey, certificate, caCert, bootstrapCaCert }: RawOptions): TlsFiles | string | undefined {
  const all = [privateKey, certificate, caCert, bootstrapCaCert];
  if (all.every((file) => file === undefined)) return undefined;
  if (caCert !== undefined && bootstrapCaCert !== undefined)
    return '--ca-cert and --bootstrap-ca-cert exclude each other';
  const authority = caCert ?? bootstrapCaCert;
  if (privateKey === undefined || certificate === undefined || authority === undefined) {
    return 'TLS needs --private-key, --certificate, and --ca-cert or --bootstrap-ca-cert';
  }
  return { privateKey, certificate, caCert: authority, bootstrap: bootstrapCaCert !== undefined };
}
