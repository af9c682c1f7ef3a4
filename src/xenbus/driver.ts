/** What a device type (vif) is to xenbus, and the other way round. */

/** Where a device stands in xenstore. `domid` and `id` come from the path, never from a key's value. */
export interface DeviceAddress {
  readonly type: string;
  /** Frontend domain. */
  readonly domid: number;
  /** Device number; the handle of a vif. */
  readonly id: number;
  /** /local/domain/<backend>/backend/<type>/<domid>/<id> */
  readonly backendPath: string;
  /** /local/domain/<domid>/device/<frontend type>/<id> */
  readonly frontendPath: string;
}

/** Reads keys of one end of the device; undefined when missing. */
export interface KeyReader {
  /** Rejects with {@link DeviceError} when the key must not be read. */
  read(key: string): Promise<string | undefined>;
}

/** The other end, or the toolstack, did something that this device cannot work with. The message says what. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
}

/**
 * One device, as its type drives it. xenbus calls one verb at a time and waits for it. `connect` and `disconnect`
 * alternate, but for a `connect` that rejected, which left nothing behind.
 */
export interface DeviceDriver {
  /** Keys to stand under the backend's path when the state becomes InitWait. Rejects only when xenstore does. */
  advertise(backend: KeyReader): Promise<Readonly<Record<string, string>>>;
  /**
   * The frontend is Initialised or Connected: read and check its keys, start the traffic. `takenOver`: both ends were
   * Connected when this daemon first saw the device, so what the frontend once told another daemon over the rings is
   * not known.
   */
  connect(frontend: KeyReader, backend: KeyReader, takenOver: boolean): Promise<void>;
  /** Whether the frontend's keys are no longer those connected with. False while they cannot be made sense of. */
  changed(frontend: KeyReader): Promise<boolean>;
  /** Connected: a key of either end may have changed that takes effect while traffic flows. True when one did. */
  refresh(frontend: KeyReader, backend: KeyReader): Promise<boolean>;
  /** Stop the traffic; when it resolves nothing of the frontend's memory is in use. */
  disconnect(): Promise<void>;
  /**
   * At each look at a device that is ours, whatever the states: what the toolstack wants beside the frontend. The keys
   * to write under the backend's path, undefined ones to remove. Rejects only when xenstore does.
   */
  accompany?(backend: KeyReader): Promise<Readonly<Record<string, string | undefined>>>;
  /** Let go of that: the device is gone, or this backend stops. May be called again. */
  leave?(): void;
  /** The device went into Closing because of this. */
  failed(error: Error): void;
  /** The backend's directory is gone; no verb follows. */
  removed(): void;
}
