/** The bundled learning controller as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2_000;

export interface ControllerProcess {
  /** For the bridge: tcp:HOST:PORT. */
  readonly target: string;
  /** Resolves when the process has ended. May be called again. */
  stop(): Promise<void>;
}

/** Starts it on any free port. Rejects when it ends early or says nothing, or when `signal` aborts. */
export async function startController(signal: AbortSignal): Promise<ControllerProcess> {
  const script = fileURLToPath(new URL('../../examples/learning-controller/main.js', import.meta.url));
  // The ipc channel tells it when this process is gone, however that happened. Signals are ours to pass on.
  const child = spawn(process.execPath, [script, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = () => stopProcess(child, ended);
  try {
    return { target: `tcp:${await listeningAddress(child, signal)}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function listeningAddress(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => settle(() => reject(new Error(`the learning controller ${reason}`)));
    const aborted = () => settle(() => reject(signal.reason));
    const timer = setTimeout(() => fail('does not listen'), START_TIMEOUT_MS);
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      outcome();
    };
    child.once('error', (error) => fail(`cannot be started: ${error.message}`));
    child.once('exit', (code) => fail(`ended with code ${code}`));
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const address = /^listening on (.+)$/.exec(line)?.[1];
      if (address !== undefined) settle(() => resolve(address));
    });
  });
}

async function stopProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
