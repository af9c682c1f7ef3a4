/** The operations on nodes, the same within a transaction and outside of one. */
import { isXenstoreError, XenstoreError } from './error.js';
import { formatPermission, type Permission, parsePermission } from './permissions.js';
import type { RequestPipe } from './requests.js';
import { joinStrings, MessageType, splitStrings, textOf } from './wire.js';

/** Times that reading a long directory starts anew because it changed meanwhile. */
const DIRECTORY_RESTARTS_MAX = 16;

/** Paths are absolute, or relative to the home of the connection's domain. Each verb rejects with {@link XenstoreError}. */
export class XenstoreNodes {
  protected readonly pipe: RequestPipe;
  /** 0: outside of any transaction. */
  readonly #transactionId: number;

  constructor(pipe: RequestPipe, transactionId: number) {
    this.pipe = pipe;
    this.#transactionId = transactionId;
  }

  async read(path: string): Promise<string> {
    return textOf(await this.readBytes(path));
  }

  /** Undefined when there is no such node. */
  async readOrUndefined(path: string): Promise<string | undefined> {
    try {
      return await this.read(path);
    } catch (error) {
      if (isXenstoreError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  readBytes(path: string): Promise<Buffer> {
    return this.ask(MessageType.read, path, joinStrings(path));
  }

  /** Creates the node, and its parents with empty values, as needed. */
  async write(path: string, value: string | Uint8Array): Promise<void> {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    await this.ask(MessageType.write, path, Buffer.concat([joinStrings(path), bytes]));
  }

  /** Existing nodes are left as they are. */
  async mkdir(path: string): Promise<void> {
    await this.ask(MessageType.mkdir, path, joinStrings(path));
  }

  /** Removes the node and everything below it; nothing there is fine too. */
  async rm(path: string): Promise<void> {
    try {
      await this.ask(MessageType.rm, path, joinStrings(path));
    } catch (error) {
      if (!isXenstoreError(error, 'ENOENT')) throw error;
    }
  }

  /** Names of the children, in xenstored's order. */
  async directory(path: string): Promise<string[]> {
    try {
      return this.#strings(await this.ask(MessageType.directory, path, joinStrings(path)), 'DIRECTORY', path);
    } catch (error) {
      if (!isXenstoreError(error, 'E2BIG')) throw error;
      return this.#directoryInParts(path);
    }
  }

  /** Names of the children; empty when there is no such node. */
  async directoryOrEmpty(path: string): Promise<string[]> {
    try {
      return await this.directory(path);
    } catch (error) {
      if (isXenstoreError(error, 'ENOENT')) return [];
      throw error;
    }
  }

  /** The first entry names the owner. */
  async getPerms(path: string): Promise<Permission[]> {
    const strings = this.#strings(await this.ask(MessageType.getPerms, path, joinStrings(path)), 'GET_PERMS', path);
    return strings.map((text) => {
      const permission = parsePermission(text);
      if (permission === undefined) throw new XenstoreError('PROTOCOL', 'GET_PERMS', path, `permission ${text}`);
      return permission;
    });
  }

  async setPerms(path: string, permissions: readonly Permission[]): Promise<void> {
    await this.ask(MessageType.setPerms, path, joinStrings(path, ...permissions.map(formatPermission)));
  }

  protected ask(type: MessageType, path: string, payload: Buffer): Promise<Buffer> {
    return this.pipe.request(type, this.#transactionId, path, payload);
  }

  /**
   * DIRECTORY_PART answers with the node's generation and as many names as fit from an offset on; an empty name
   * stands after the last. A changed generation makes the offsets worthless.
   */
  async #directoryInParts(path: string): Promise<string[]> {
    for (let restart = 0; restart < DIRECTORY_RESTARTS_MAX; restart++) {
      const names: string[] = [];
      let generation: string | undefined;
      let offset = 0;
      for (;;) {
        const payload = await this.ask(MessageType.directoryPart, path, joinStrings(path, String(offset)));
        const [current, ...part] = this.#strings(payload, 'DIRECTORY_PART', path);
        generation ??= current;
        if (current !== generation) break;
        const last = part.at(-1) === '';
        if (last) part.pop();
        names.push(...part);
        if (last) return names;
        if (part.length === 0) throw new XenstoreError('PROTOCOL', 'DIRECTORY_PART', path, 'empty part');
        offset += part.reduce((sum, name) => sum + Buffer.byteLength(name) + 1, 0);
      }
    }
    throw new XenstoreError('CONFLICT', 'DIRECTORY_PART', path, 'the directory never stood still');
  }

  #strings(payload: Buffer, request: string, path: string): string[] {
    const strings = splitStrings(payload);
    if (strings === undefined) throw new XenstoreError('PROTOCOL', request, path, 'reply without final NUL');
    return strings;
  }
}
