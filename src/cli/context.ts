/** What a command needs: the daemon, somewhere to print, and how to end a command that would go on for ever. */
import type { ApiClient } from '../api/client.js';

export interface CommandContext {
  readonly api: ApiClient;
  readonly json: boolean;
  /** One line or several, without the last line break. */
  readonly print: (text: string) => void;
  /** For commands that go on for ever: from now on SIGINT and SIGTERM abort this instead of ending the process. */
  readonly untilInterrupted: () => AbortSignal;
}

/** Of a command that only prints. */
export type Printer = Pick<CommandContext, 'json' | 'print'>;

/** The command did what it was asked, and the answer is no: printed already. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';

  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}
