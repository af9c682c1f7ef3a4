/**
 * What a device reads and writes in xenstore. A write below the backend's path is a transaction that looks first whether
 * the state still is the one that the decision was made for: a write after the toolstack removed the directory would call
 * it back to life, as a ghost, and one after it was made anew would be about the device before. Error nodes of a driver
 * domain, in a tree of its own, are written without.
 */
import { isXenstoreError, type XenstoreClient, type XenstoreTransaction } from '../xenstore/index.js';
import type { Seen } from './decide.js';
import { type DeviceAddress, DeviceError, type KeyReader } from './driver.js';
import { type BackendState, parseState, XenbusState } from './state.js';

/** Longest text written to an error node, in characters. */
const ERROR_TEXT_MAX = 512;

export class BackendNode {
  readonly #store: XenstoreClient;
  readonly #address: DeviceAddress;
  readonly #mark: string | undefined;
  /** Where a driver domain's errors are looked for: <home>/error/backend/<type>/<domid>/<id>. */
  readonly #errorPath: string;
  /** `unknown`: there may be one of a daemon before us. */
  #errorStands: boolean | 'unknown' = 'unknown';
  /** What stood under `state` at the last look, or what we wrote there since. */
  #state: string | undefined;
  readonly backendKeys: KeyReader;
  readonly frontendKeys: KeyReader;

  /** `mark`: see XenbusOptions. */
  constructor(store: XenstoreClient, address: DeviceAddress, mark?: string) {
    this.#store = store;
    this.#mark = mark;
    this.#address = address;
    this.#errorPath = address.backendPath.replace('/backend/', '/error/backend/');
    this.backendKeys = { read: (key) => store.readOrUndefined(`${address.backendPath}/${key}`) };
    this.frontendKeys = { read: (key) => this.#readFrontend(key) };
  }

  /** We wrote an error, and did not remove it. */
  get hasError(): boolean {
    return this.#errorStands === true;
  }

  async observe(): Promise<Seen> {
    const [state, online, hotplugStatus, mark, frontend] = await Promise.all([
      this.backendKeys.read('state'),
      this.backendKeys.read('online'),
      this.backendKeys.read('hotplug-status'),
      this.#mark === undefined ? '' : this.backendKeys.read(this.#mark),
      this.#frontendState(),
    ]);
    this.#state = state;
    return {
      backend: state === undefined ? undefined : (parseState(state) ?? 'invalid'),
      // Absent counts as online: only libxl and its kin write it. Anything but 0 does too.
      online: online !== '0',
      frontend,
      hotplugStatus,
      ours: mark !== undefined,
    };
  }

  /** Writes keys, then the state. False when the state was no longer the one seen and nothing was written. */
  async writeState(state: BackendState, keys: Readonly<Record<string, string>> = {}): Promise<boolean> {
    const text = String(state);
    const written = await this.#guarded(async (nodes, path) => {
      for (const [key, value] of Object.entries(keys)) await nodes.write(`${path}/${key}`, value);
      // Rewriting an equal state would only wake every watcher.
      if (this.#state !== text) await nodes.write(`${path}/state`, text);
    });
    if (written) this.#state = text;
    return written;
  }

  /** Undefined ones are removed. Nothing is written when the state is no longer the one seen. */
  async writeKeys(keys: Readonly<Record<string, string | undefined>>): Promise<void> {
    const all = Object.entries(keys);
    if (all.length === 0) return;
    await this.#guarded(async (nodes, path) => {
      for (const [key, value] of all) {
        if (value === undefined) await nodes.rm(`${path}/${key}`);
        else await nodes.write(`${path}/${key}`, value);
      }
    });
  }

  /**
   * Where the guest sees it, and where this domain's errors are collected if there is such a place; nowhere when
   * xenstore has no room for it.
   */
  async writeError(message: string): Promise<void> {
    const text = message.slice(0, ERROR_TEXT_MAX);
    let isOurs = true;
    await this.#permitted(async () => {
      isOurs = await this.#guarded((nodes, path) => nodes.write(`${path}/error`, text));
    });
    if (!isOurs) return;
    this.#errorStands = true;
    await this.#permitted(() => this.#store.write(`${this.#errorPath}/error`, text));
  }

  async removeError(): Promise<void> {
    if (this.#errorStands === false) return;
    this.#errorStands = false;
    // Only what is there: an attempt wakes every watcher too, and so a device that was just forgotten.
    if ((await this.backendKeys.read('error')) !== undefined) {
      await this.#permitted(() => this.#store.rm(`${this.#address.backendPath}/error`));
    }
    await this.#permitted(async () => {
      if ((await this.#store.readOrUndefined(`${this.#errorPath}/error`)) === undefined) return;
      await this.#store.transaction(async (nodes) => {
        await nodes.rm(this.#errorPath);
        const ofDomain = this.#errorPath.slice(0, this.#errorPath.lastIndexOf('/'));
        if ((await nodes.directoryOrEmpty(ofDomain)).length === 0) await nodes.rm(ofDomain);
      });
    });
  }

  async removeHotplugStatus(): Promise<void> {
    await this.#guarded((nodes, path) => nodes.rm(`${path}/hotplug-status`));
  }

  #guarded(body: (nodes: XenstoreTransaction, path: string) => Promise<void>): Promise<boolean> {
    const path = this.#address.backendPath;
    const seen = this.#state;
    return this.#store.transaction(async (nodes) => {
      const state = await nodes.readOrUndefined(`${path}/state`);
      if (state === undefined || state !== seen) return false;
      await body(nodes, path);
      return true;
    });
  }

  /** A driver domain's toolstack may have made no room for errors; the device goes on without. */
  async #permitted(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isXenstoreError(error, 'EACCES', 'ENOSPC')) throw error;
    }
  }

  async #frontendState(): Promise<Seen['frontend']> {
    let text: string | undefined;
    try {
      text = await this.#store.readOrUndefined(`${this.#address.frontendPath}/state`);
    } catch (error) {
      // In a driver domain that is what a removed directory looks like, and a guest that locks us out is as good as gone.
      if (!isXenstoreError(error, 'EACCES')) throw error;
    }
    if (text === undefined) return 'gone';
    const state = parseState(text);
    if (state === undefined) return 'invalid';
    return state === XenbusState.unknown ? 'gone' : state;
  }

  /** The guest owns these nodes and may lock us out of them. */
  async #readFrontend(key: string): Promise<string | undefined> {
    try {
      return await this.#store.readOrUndefined(`${this.#address.frontendPath}/${key}`);
    } catch (error) {
      if (!isXenstoreError(error, 'EACCES')) throw error;
      throw new DeviceError(`frontend key ${key} is not readable for the backend`);
    }
  }
}
