/**
 * The backend's side of the handshake as a pure function: from what the device is and what stands in xenstore to the
 * next step. It looks at levels, not at edges, so that lost, doubled or folded watch events change nothing. The
 * rules are those of the Linux and QEMU backends (docs of the protocol: xenbus.h), with two of our own: a frontend
 * that is Initialising while we are connected is taken at its word at once (kexec), and rings found Connected on
 * both sides when the daemon starts are taken over if a daemon like us wrote that state.
 */
import { type BackendState, XenbusState } from './state.js';

/**
 * new: nothing written yet. waiting: InitWait. attached: the driver is connected but Connected waits for the hotplug
 * script. connected, closing, closed: as the states of these names. reconfigured: connected, and the frontend was told
 * that the change it asked for is in force (XDP headroom of vifs); only a frontend that writes Reconfiguring itself ever
 * sees that state.
 */
export type Phase = 'new' | 'waiting' | 'attached' | 'connected' | 'reconfigured' | 'closing' | 'closed';

export interface Own {
  readonly phase: Phase;
  readonly everConnected: boolean;
  /** The frontend did not follow our Closing in time. */
  readonly closeExpired: boolean;
}

export interface Seen {
  /** `invalid`: no state of the protocol. Undefined: no backend directory any more. */
  readonly backend: XenbusState | 'invalid' | undefined;
  readonly online: boolean;
  /** `gone`: no directory, state Unknown or missing, or the domain died. */
  readonly frontend: XenbusState | 'invalid' | 'gone';
  /** Value of hotplug-status; undefined when the toolstack runs no script. */
  readonly hotplugStatus: string | undefined;
  /** The state was written by a daemon of our kind, this one or one before it. True where nothing tells. */
  readonly ours: boolean;
}

export type Step =
  | { readonly kind: 'rest' }
  /** Found served by another backend, whose rings and states are not ours to touch. */
  | { readonly kind: 'leave' }
  /** The device is gone. */
  | { readonly kind: 'forget' }
  /** The toolstack made it anew under our feet: disconnect and begin again. */
  | { readonly kind: 'restart' }
  /** Found in this state when the daemon started. */
  | { readonly kind: 'assume'; readonly phase: 'closing' | 'closed' }
  /** Write what we can do, and InitWait. */
  | { readonly kind: 'advertise' }
  | { readonly kind: 'connect' }
  /** The script is done: write Connected. */
  | { readonly kind: 'publish' }
  /** Connected on both sides: see whether the rings are still the same. */
  | { readonly kind: 'check' }
  /** Put the frontend's new wishes in force and write Reconfigured. */
  | { readonly kind: 'reconfigure' }
  /** Disconnect and write the state. `complaint` becomes the error node. */
  | { readonly kind: 'close'; readonly state: 5 | 6; readonly complaint?: string }
  /** Somebody wrote nonsense over our state. */
  | { readonly kind: 'repair' }
  /** XCP-ng's toolstack waits for hotplug-status to go away. */
  | { readonly kind: 'removeHotplugStatus' };

const rest: Step = { kind: 'rest' };
const toClosing: Step = { kind: 'close', state: XenbusState.closing };
const toClosed: Step = { kind: 'close', state: XenbusState.closed };

function complain(complaint: string): Step {
  return { kind: 'close', state: XenbusState.closing, complaint };
}

/** What stands under `state` while a phase lasts. */
export const stateOf: Readonly<Record<Exclude<Phase, 'new'>, BackendState>> = {
  waiting: XenbusState.initWait,
  attached: XenbusState.initWait,
  connected: XenbusState.connected,
  reconfigured: XenbusState.reconfigured,
  closing: XenbusState.closing,
  closed: XenbusState.closed,
};

export function decide(own: Own, seen: Seen): Step {
  if (seen.backend === undefined) return { kind: 'forget' };
  if (own.phase === 'new') {
    if (!seen.ours && !isUntouched(seen)) return { kind: 'leave' };
    if (seen.backend === XenbusState.closing) return { kind: 'assume', phase: 'closing' };
    if (seen.backend === XenbusState.closed) return { kind: 'assume', phase: 'closed' };
  } else if (seen.backend === XenbusState.initialising) {
    return { kind: 'restart' };
  }
  if (!seen.online) return unplug(own, seen);
  if (seen.backend === XenbusState.closing && isUp(own.phase)) return isFrontendUp(seen) ? toClosing : toClosed;
  if (own.phase !== 'new' && seen.backend !== stateOf[own.phase]) return { kind: 'repair' };
  return follow(own.phase, seen);
}

/** online=0: the toolstack takes the device away and waits for Closed. */
function unplug(own: Own, seen: Seen): Step {
  if (own.phase === 'closed') {
    if (seen.backend !== XenbusState.closed) return { kind: 'repair' };
    return seen.hotplugStatus === undefined ? rest : { kind: 'removeHotplugStatus' };
  }
  const leaving = seen.frontend === XenbusState.closing && own.everConnected;
  if (!isFrontendUp(seen) && !leaving) return toClosed;
  if (own.phase !== 'closing') return toClosing;
  return own.closeExpired ? toClosed : rest;
}

/** online=1: our state follows the frontend's. */
function follow(phase: Phase, seen: Seen): Step {
  switch (seen.frontend) {
    case 'gone':
      // A toolstack may make our directory before the frontend's.
      return phase === 'closed' || (phase === 'new' && isUntouched(seen)) ? rest : toClosed;
    case 'invalid':
      return isUp(phase) ? complain('the frontend wrote a state that is none') : rest;
    case XenbusState.initialising:
      return phase === 'waiting' ? rest : { kind: 'advertise' };
    case XenbusState.initialised:
    case XenbusState.connected:
      return followUp(phase, seen);
    case XenbusState.closing:
      return phase === 'closing' || phase === 'closed' ? rest : toClosing;
    case XenbusState.closed:
      return phase === 'closed' ? rest : toClosed;
    case XenbusState.initWait:
      return phase === 'new' ? { kind: 'advertise' } : rest;
    case XenbusState.reconfiguring:
      return reconfigure(phase, seen);
    default:
      // Reconfigured is the backend's to write.
      return rest;
  }
}

/** The frontend changes a setting while traffic flows, and waits until it is in force. */
function reconfigure(phase: Phase, seen: Seen): Step {
  switch (phase) {
    case 'new':
      // Found by a daemon that started meanwhile.
      return isRunning(seen.backend) ? { kind: 'connect' } : rest;
    case 'connected':
      return { kind: 'reconfigure' };
    case 'reconfigured':
      // Linux' frontend writes the state first and the key after it.
      return { kind: 'check' };
    default:
      return rest;
  }
}

/** The frontend's keys are there. */
function followUp(phase: Phase, seen: Seen): Step {
  switch (phase) {
    case 'new':
      return { kind: isRunning(seen.backend) ? 'connect' : 'advertise' };
    case 'waiting':
      return { kind: 'connect' };
    case 'attached': {
      const scriptDone = seen.hotplugStatus === undefined || seen.hotplugStatus === 'connected';
      return scriptDone ? { kind: 'publish' } : rest;
    }
    case 'connected':
      return { kind: 'check' };
    case 'reconfigured':
      return { kind: 'publish' };
    case 'closing':
      return rest;
    case 'closed':
      return { kind: 'advertise' };
  }
}

function isUp(phase: Phase): boolean {
  return phase === 'waiting' || phase === 'attached' || phase === 'connected' || phase === 'reconfigured';
}

/** States that a backend writes only while its rings are in use. */
export function isRunning(backend: Seen['backend']): boolean {
  return backend === XenbusState.connected || backend === XenbusState.reconfigured;
}

/** No backend has written a state yet. */
function isUntouched({ backend }: Seen): boolean {
  return backend === XenbusState.initialising || backend === XenbusState.unknown || backend === 'invalid';
}

function isFrontendUp({ frontend }: Seen): boolean {
  return (
    frontend === XenbusState.initialised || frontend === XenbusState.connected || frontend === XenbusState.reconfiguring
  );
}
