/** Where commands run: a guest, or Dom0 itself. */
import { spawn } from 'node:child_process';

export interface Answer {
  readonly status: number;
  readonly output: string;
}

export interface Party {
  readonly name: string;
  ask(command: string, seconds?: number): Promise<Answer>;
  /** Like ask, but rejects when the command fails. */
  run(command: string, seconds?: number): Promise<string>;
}

function ask(command: string, seconds = 300): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    // Servers that the command leaves behind may hold its output open: its own end counts.
    child.once('exit', (code) => {
      clearTimeout(late);
      setTimeout(() => resolve({ status: code ?? 255, output: output.trimEnd() }), 50);
    });
  });
}

export const dom0: Party = {
  name: 'Dom0',
  ask,
  run: async (command, seconds) => {
    const { status, output } = await ask(command, seconds);
    if (status !== 0) throw new Error(`Dom0: status ${status} of ${command}\n${output}`);
    return output;
  },
};
