/**
 * `npm start`: the daemon with the emulated hypervisor, three guests on a bridge in secure fail-mode, and a controller.
 * Exit code 0: ended by Ctrl-C, or --once and all is well; 1: something failed; 2: wrong use.
 */
import { runUntilSignal } from '../cli/until-signal.js';

process.exitCode = await runUntilSignal('demo', async (signal) => {
  // Loaded once signals are handled, for loading takes its time.
  const { runDemo } = await import('./run.js');
  await runDemo(process.argv.slice(2), signal);
});
