/** The datapath whose packets are handled by C++ workers: {@link Datapath} over the addon of native/napi. */
import {
  AttachError,
  type Datapath,
  DatapathClosed,
  type PortNo,
  type PortSettings,
  type PortSpec,
  type Tracer,
} from './datapath.js';
import type { NativeDatapath, NativeRuntime } from './native-addon.js';

const READ_LIMIT_BYTES = 1 << 20;

export class NativeDatapathAdapter implements Datapath, Tracer {
  #native: NativeDatapath | undefined;

  /** Opens one datapath on the workers of `runtime`. */
  constructor(runtime: NativeRuntime) {
    this.#native = runtime.openDatapath();
  }

  #open(): NativeDatapath {
    if (this.#native === undefined) throw new DatapathClosed();
    return this.#native;
  }

  portAttach(port: PortNo, spec: PortSpec, settings: PortSettings = {}): void {
    const native = this.#open();
    refused(() => native.portAttach(port, spec, settings));
  }

  portConfigure(port: PortNo, settings: PortSettings): void {
    const native = this.#open();
    refused(() => native.portConfigure(port, settings));
  }

  portDetach(port: PortNo): void {
    this.#open().portDetach(port);
  }

  apply(batch: Uint8Array, options: { readonly atomic?: boolean } = {}): Uint8Array {
    return this.#open().apply(batch, options.atomic === true);
  }

  packetOut(record: Uint8Array): number {
    return this.#open().packetOut(record);
  }

  trace(request: Uint8Array): { readonly status: number; readonly steps: Uint8Array } {
    return this.#open().trace(request);
  }

  read(
    query: Uint8Array,
    limit = READ_LIMIT_BYTES,
  ): { readonly data: Uint8Array; readonly next: Uint8Array | undefined } {
    return this.#open().read(query, limit);
  }

  tick(): void {
    this.#open().tick();
  }

  onUpcall(listener: (records: Uint8Array) => void): void {
    this.#open().onUpcall(listener);
  }

  close(): void {
    this.#native?.close();
    this.#native = undefined;
  }
}

function refused(call: () => void): void {
  try {
    call();
  } catch (cause) {
    throw new AttachError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
