/** The command line of `xvif`: which commands there are and what they take. Runs nothing but the chosen command. */
import { Command } from 'commander';
import type { AddGuestRequest, PortSetting } from '../api/messages.js';
import { decimal, duration, ipv4WithPrefix, macAddress } from './arguments.js';
import type { CommandContext } from './context.js';
import { type DoctorArguments, doctor } from './doctor.js';
import { addFlowFileCommands } from './flow-files.js';
import { flows } from './flows.js';
import { guestAdd, guestList, guestRemove } from './guest.js';
import { type InstallHostOptions, installHost } from './install-host.js';
import { ping } from './ping.js';
import { portSet, setting } from './port.js';
import { ports } from './ports.js';
import { show } from './show.js';
import { stats } from './stats.js';
import { type TableSetOptions, tableSet } from './table-set.js';

export interface GlobalOptions {
  readonly socket?: string;
  readonly runDir?: string;
  readonly json: boolean;
}

/** Carries out a command with a connection to the daemon. */
export type RunCommand = (options: GlobalOptions, command: (context: CommandContext) => Promise<void>) => Promise<void>;

interface GuestAddOptions {
  readonly bridge: string;
  readonly mac: string;
  readonly ip: string;
  readonly tap: string;
  readonly netns: string;
  readonly queues: number;
  /** commander's way with --no-sg. */
  readonly sg: boolean;
  readonly gso: boolean;
  readonly mtu: number;
}

function addRequest(name: string, options: GuestAddOptions): AddGuestRequest {
  const { bridge, mac, ip, tap, netns, queues, sg, gso, mtu } = options;
  return { name, bridge, mac, ip, tap, netns, queues, noSg: !sg, noGso: !gso, mtu };
}

function addGuestCommands(
  program: Command,
  run: (command: (context: CommandContext) => Promise<void>) => Promise<void>,
) {
  const guest = program.command('guest').description('guests of the emulated hypervisor');
  guest
    .command('add')
    .description('make a guest with one interface on a bridge')
    .argument('<name>')
    .requiredOption('--bridge <name>', 'bridge its interface joins')
    .option('--mac <address>', 'MAC address (default: made from the domain id)', macAddress, '')
    .option('--ip <address/prefix>', 'address of the built-in stack', ipv4WithPrefix, '')
    .option('--tap <device>', 'join the guest to this TAP device instead of the built-in stack', '')
    .option('--netns <name>', 'network namespace of the TAP device', '')
    .option('--queues <number>', 'queues of its interface', decimal(1, 8), 1)
    .option('--no-sg', 'frontend without scatter-gather')
    .option('--no-gso', 'frontend without segmentation offload')
    .option('--mtu <bytes>', 'MTU without the Ethernet header', decimal(68, 65_517), 1500)
    .action((name: string, options: GuestAddOptions, command: Command) => {
      if (options.ip === '' && options.tap === '') command.error('error: give either --ip or --tap');
      if (options.ip !== '' && options.tap !== '') command.error('error: --ip and --tap exclude each other');
      if (options.netns !== '' && options.tap === '') command.error('error: --netns needs --tap');
      return run((context) => guestAdd(context, addRequest(name, options)));
    });
  guest
    .command('rm')
    .description('end a guest')
    .argument('<name>')
    .action((name: string) => run((context) => guestRemove(context, name)));
  guest
    .command('list')
    .description('guests, their ports and states')
    .action(() => run((context) => guestList(context)));
}

function addHostCommands(
  program: Command,
  run: (command: (context: CommandContext) => Promise<void>) => Promise<void>,
) {
  program
    .command('install-host')
    .description('put the hotplug script, the systemd unit and the modprobe.d file of a Xen host in place')
    .option('--root <directory>', 'below this directory, for staging', '/')
    .option('--exec <command>', "what starts xvifd in the unit (default: this installation's)")
    .option('-n, --dry-run', 'only say what would be done', false)
    .option('--uninstall', 'take them away again', false)
    .action((options: InstallHostOptions) => run((context) => installHost(context, options)));
  program
    .command('doctor')
    .description('check whether this Xen host is fit for xvifd, and say what to do')
    .option('--root <directory>', 'look at the files below this directory instead', '/')
    .action((options: DoctorArguments) => run((context) => doctor(context, options)));
}

interface PingArguments {
  readonly count: number;
  readonly interval: number;
  readonly timeout: number;
  readonly size: number;
}

/** The program; `version` is printed by --version. Parse with parseAsync. */
export function createProgram(version: string, runCommand: RunCommand): Command {
  const program = new Command('xvif')
    .description('talks to xvifd, the OpenFlow switch that serves the network interfaces of Xen guests')
    .version(version)
    .option('--socket <path>', 'socket of the daemon (default: xvifd.sock in the run directory)')
    .option('--run-dir <path>', 'run directory of the daemon')
    .option('--json', 'print JSON', false);
  const run = (command: (context: CommandContext) => Promise<void>) =>
    runCommand(program.opts<GlobalOptions>(), command);

  program
    .command('show')
    .description('the daemon, its bridges and their controllers')
    .action(() => run(show));
  program
    .command('ports')
    .description('ports with their counters and rates')
    .argument('[bridge]', 'only of this bridge', '')
    .option('-w, --watch', 'print again and again, and events as they happen', false)
    .option('-i, --interval <time>', 'time between two prints', duration, 1000)
    .action((bridge: string, options: { watch: boolean; interval: number }) =>
      run((context) => ports(context, bridge, { watch: options.watch, intervalMs: options.interval })),
    );
  const port = program.command('port').description('settings of one port');
  port
    .command('show')
    .description('settings in force')
    .argument('<name>', 'port, or xvif<domid>i<handle> or vif<domid>.<handle>')
    .action((name: string) => run((context) => portSet(context, name, [])));
  port
    .command('set')
    .description(
      'rate, complete-checksums, vlan, sources, disabled, mtu; "none" is off, "toolstack" gives a setting back',
    )
    .argument('<name>', 'port, or xvif<domid>i<handle> or vif<domid>.<handle>')
    .argument('<settings...>', 'like rate=10Mb/s@50ms complete-checksums=on vlan=10', setting)
    .action((name: string, settings: readonly PortSetting[]) => run((context) => portSet(context, name, settings)));
  const table = program.command('table').description('settings of one flow table');
  table
    .command('show')
    .description('settings in force')
    .argument('<bridge>')
    .argument('<table>', '0 to 253', decimal(0, 253))
    .action((bridge: string, id: number) => run((context) => tableSet(context, bridge, id, {})));
  table
    .command('set')
    .description('until a controller sets it otherwise, or the daemon ends')
    .argument('<bridge>')
    .argument('<table>', '0 to 253', decimal(0, 253))
    .option('--limit <flows>', 'how many it takes', decimal(0, 9_999_999))
    .option('--overflow-policy <policy>', 'refuse the flow that is too many, or evict another')
    .option('--groups <fields>', 'flows with the same of these form groups; one of the largest is evicted; none')
    .option('--name <text>', 'what controllers are told')
    .action((bridge: string, id: number, options: TableSetOptions) =>
      run((context) => tableSet(context, bridge, id, options)),
    );
  program
    .command('flows')
    .description('flow entries with their counters')
    .argument('[bridge]', 'only of this bridge', '')
    .action((bridge: string) => run((context) => flows(context, bridge)));
  program
    .command('stats')
    .description('workers, upcalls and drops')
    .argument('[bridge]', 'only of this bridge', '')
    .action((bridge: string) => run((context) => stats(context, bridge)));
  addGuestCommands(program, run);
  program
    .command('ping')
    .description('echo requests from the built-in stack of a guest')
    .argument('<guest>')
    .argument('<address>')
    .option('-c, --count <number>', 'requests to send', decimal(1, 10_000), 4)
    .option('-i, --interval <time>', 'time between requests', duration, 1000)
    .option('-W, --timeout <time>', 'time to wait for an answer', duration, 1000)
    .option('-s, --size <bytes>', 'payload of a request', decimal(1, 65_000), 56)
    .action((guest: string, address: string, { count, interval, timeout, size }: PingArguments) =>
      run((context) => ping(context, guest, address, { count, intervalMs: interval, timeoutMs: timeout, size })),
    );
  addHostCommands(program, run);
  addFlowFileCommands(program, run);
  inheritExit(program);
  return program;
}

/** Every command throws instead of ending the process, so that the exit code is decided in one place. */
function inheritExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) inheritExit(child);
}
