/**
 * How the drivers of different guests take the states of their backend: what they wait for, for how long, and what
 * they do not survive. Read in: Linux drivers/net/xen-netfront.c and xenbus_probe_frontend.c, win-xenvif frontend.c,
 * FreeBSD netfront.c, NetBSD if_xennet_xenbus.c, Mini-OS and Unikraft netfront.
 */
import { stateName, XenbusState } from '../xenbus/index.js';
import type { GuestPhase } from './phase.js';

export interface Conduct {
  /** Backend states that end in an assert or a panic, whatever the driver is about. */
  readonly fatal: readonly XenbusState[];
  /** The same, only while it closes. */
  readonly fatalWhileClosing: readonly XenbusState[];
  /** The same, only while it waits for Connected. */
  readonly fatalWhileConnecting: readonly XenbusState[];
  /** Writes its keys and Connected when it is loaded, in whatever state the backend is; else waits for InitWait. */
  readonly announcesEarly: boolean;
  /** When loaded, leads a backend that is not in InitWait there step by step, as long as the vif is online. */
  readonly drivesBackend: boolean;
  /** After Closed it writes Initialising and waits, without end, until the backend is in InitWait. */
  readonly closesWithInitialising: boolean;
  /** Once connected it looks at the backend's state no more: an unplug and a fault go unnoticed. */
  readonly deafWhenConnected: boolean;
  /** A kernel that starts over the remains of another closes the device before it probes it (kexec). */
  readonly resetsBeforeProbe: boolean;
  /** A step that takes longer is complained about, in milliseconds; undefined: it waits without a word. */
  readonly stepMs: number | undefined;
  /** In these phases a step is timed. */
  readonly timed: readonly GuestPhase[];
  /** After `stepMs` it writes the state of the step once more, and waits again. */
  readonly repeatsStep: boolean;
  /** Closes when the backend's node `online` becomes 0, and gives up on a Closed backend that is offline. */
  readonly watchesOnline: boolean;
}

const none = {
  fatal: [],
  fatalWhileClosing: [],
  fatalWhileConnecting: [],
  announcesEarly: false,
  drivesBackend: false,
  closesWithInitialising: false,
  deafWhenConnected: false,
  resetsBeforeProbe: false,
  stepMs: undefined,
  timed: [],
  repeatsStep: false,
  watchesOnline: false,
} as const;

const { unknown, initialising, initialised, closing, reconfiguring, reconfigured } = XenbusState;

/** XENNET_TIMEOUT and that of xenbus_reset_wait_for_backend: 5 s a step. */
export const linuxConduct: Conduct = {
  ...none,
  resetsBeforeProbe: true,
  stepMs: 5000,
  timed: ['leaving', 'left', 'resetting'],
};

/**
 * FrontendWaitForBackendXenbusStateChange: 120 s, and then the loop around it goes on from the state that there is.
 * Between connecting and closing it looks at `online` only; we take the asserts seriously even then.
 */
export const windowsConduct: Conduct = {
  ...none,
  fatal: [initialised, reconfiguring, reconfigured],
  fatalWhileClosing: [initialising],
  fatalWhileConnecting: [initialising],
  drivesBackend: true,
  deafWhenConnected: true,
  stepMs: 120_000,
  timed: ['waiting', 'announced', 'leaving', 'left'],
  repeatsStep: true,
  watchesOnline: true,
};

export const freebsdConduct: Conduct = none;

export const netbsdConduct: Conduct = { ...none, fatal: [unknown, initialised, reconfiguring, reconfigured] };

export const unikernelConduct: Conduct = {
  ...none,
  announcesEarly: true,
  closesWithInitialising: true,
  deafWhenConnected: true,
};

/** What the guest's kernel says as it goes down; undefined: it goes on. */
export function assertOn(conduct: Conduct, backend: XenbusState, phase: GuestPhase): string | undefined {
  const isClosing = phase === 'leaving' || phase === 'left';
  if (
    conduct.fatal.includes(backend) ||
    (isClosing && conduct.fatalWhileClosing.includes(backend)) ||
    (phase === 'announced' && conduct.fatalWhileConnecting.includes(backend))
  ) {
    return `backend state ${stateName(backend)} while ${phase}`;
  }
  return undefined;
}

/** Which state a driver that drives writes when it finds the backend in this one; undefined: it waits. */
export function driveFrom(backend: XenbusState): XenbusState | undefined {
  switch (backend) {
    case XenbusState.connected:
      return closing;
    case XenbusState.closing:
      return XenbusState.closed;
    case XenbusState.closed:
      return initialising;
    default:
      return undefined;
  }
}
