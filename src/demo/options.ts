/** Command line of the demo. */
import { Command } from 'commander';
import { decimal } from '../cli/arguments.js';
import { WORKERS_MAX } from '../datapath/native-addon.js';

export interface DemoOptions {
  /** An external controller instead of the bundled one. */
  readonly controller?: string;
  readonly once: boolean;
  readonly runDir?: string;
  readonly workers: number;
}

/** Throws CommanderError for wrong use and --help, having printed why. */
export function parseOptions(args: readonly string[]): DemoOptions {
  return new Command('npm start --')
    .description('three emulated guests on one bridge, and a learning controller that connects them')
    .option('--controller <target>', 'use the controller at tcp:HOST:PORT instead of the bundled one')
    .option('--once', 'check that every guest reaches every other, say so, and end', false)
    .option('--run-dir <path>', 'directory of the sockets (with --once: a temporary one)')
    .option('--workers <number>', 'threads that move packets', decimal(1, WORKERS_MAX), 1)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<DemoOptions>();
}
