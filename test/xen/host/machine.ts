/** One boot of the lab: QEMU interprets a machine whose hypervisor is Xen and whose Dom0 runs the payload's command. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Images } from './images.js';

export interface BootOptions {
  readonly images: Images;
  /** Tar for Dom0's second disk. */
  readonly payload: string;
  /** Where console.log and the results go; emptied first. */
  readonly output: string;
  readonly limitSeconds: number;
  readonly memoryMiB: number;
  readonly processors: number;
  /** Time is instructions, 2 ns each, and stands still for all else: figures are those of any host, busy or not. */
  readonly counted: boolean;
  /** Each line that the command prints. */
  readonly onLine: (line: string) => void;
}

/** Room for what Dom0 hands back, in MiB. */
const RESULTS_MIB = 256;

/**
 * What the emulated processor can do: the data plane wants x86-64-v2, PVH guests want nested paging. Dom0's kernel does
 * not survive everything that QEMU can emulate at once ("max").
 */
const processor = 'qemu64,+rdrand,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt,+lahf_lm';

/** Resolves with the command's exit status; rejects when the machine ended without one. */
export async function boot(options: BootOptions): Promise<number> {
  const { images, output, memoryMiB, processors } = options;
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const results = join(output, 'results.tar');
  writeFileSync(results, '');
  truncateSync(results, RESULTS_MIB << 20);
  const disk = (file: string, mode: string) => ['-drive', `if=virtio,format=raw,file=${file},${mode}`];
  const dom0MiB = Math.floor(memoryMiB / 2);
  const xen = `console=com1 com1=115200,8n1 dom0_mem=${dom0MiB}M,max:${dom0MiB}M dom0_max_vcpus=${processors} conring_size=4M loglvl=all guest_loglvl=all`;
  const linux = 'console=hvc0 panic=-1 mitigations=off ROOT=/dev/vda INIT=/lab/dom0-init';
  const console = join(output, 'console.log');
  const machine = spawn(
    'qemu-system-x86_64',
    [
      ...(options.counted
        ? ['-accel', 'tcg,thread=single,tb-size=512', '-icount', 'shift=1,sleep=off']
        : ['-accel', 'tcg,thread=multi,tb-size=512']),
      ...['-cpu', processor],
      ...['-smp', `${processors}`, '-m', `${memoryMiB}`, '-nodefaults', '-display', 'none', '-no-reboot'],
      ...['-serial', `file:${console}`, '-chardev', 'stdio,id=command,signal=off', '-serial', 'chardev:command'],
      ...disk(images.root, 'snapshot=on'),
      ...disk(options.payload, 'readonly=on'),
      ...disk(results, 'cache=unsafe'),
      ...disk(images.root, 'snapshot=on'),
      ...['-kernel', images.xen, '-append', xen, '-initrd', `${images.kernel} ${linux},${images.initrd}`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: machine.stdout });
  lines.on('line', options.onLine);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    machine.kill('SIGKILL');
  }, options.limitSeconds * 1000);
  const stop = () => machine.kill('SIGKILL');
  process.once('exit', stop);
  const [code, signal] = (await once(machine, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  process.removeListener('exit', stop);
  const tail = () => (existsSync(console) ? readFileSync(console, 'latin1').split('\n').slice(-25).join('\n') : '');
  if (late) throw new Error(`not done within ${options.limitSeconds} s; the end of the console:\n${tail()}`);
  if (code !== 0) throw new Error(`QEMU ended with ${signal ?? code}`);
  spawnSync('tar', ['-xf', results, '-C', output], { stdio: 'ignore' });
  rmSync(results);
  const status = join(output, 'status');
  if (!existsSync(status)) throw new Error(`Dom0 ended without a result; the end of the console:\n${tail()}`);
  return Number(readFileSync(status, 'utf8'));
}
