/** os-ken's manager with one of the applications of test/interop/osken. */
import { join } from 'node:path';
import { Child, freePort, root } from './process.js';

export class Osken {
  readonly #manager: Child;
  readonly #port: number;
  readonly #restPort: number;

  private constructor(application: string, env: NodeJS.ProcessEnv, port: number, restPort: number) {
    this.#port = port;
    this.#restPort = restPort;
    const listen = ['--ofp-listen-host', '127.0.0.1', '--ofp-tcp-listen-port', `${port}`];
    this.#manager = new Child('osken-manager', [...listen, join(root, 'test/interop/osken', `${application}.py`)], {
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
      REST_PORT: `${restPort}`,
      ...env,
    });
  }

  /** `env` reaches the application: OFP_VERSION (1.0, 1.2 to 1.5; else 1.3) and what else it reads. */
  static async start(application: string, env: NodeJS.ProcessEnv = {}): Promise<Osken> {
    return new Osken(application, env, await freePort(), await freePort());
  }

  /** For xvifd's --controller. */
  get target(): string {
    return `tcp:127.0.0.1:${this.#port}`;
  }

  /** What the application has printed. */
  get output(): string {
    return this.#manager.output;
  }

  /** One request to the application's REST interface: its status, and its body, read as JSON. */
  async rest(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) {
    const answer = await fetch(`http://127.0.0.1:${this.#restPort}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  async stop(): Promise<void> {
    await this.#manager.stop();
  }
}
