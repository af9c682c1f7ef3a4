/** XenbusState (xen/include/public/io/xenbus.h): where one end of a split driver stands. */
import { parseDecimal } from '../base/decimal.js';

export const XenbusState = {
  /** Never written; what a missing node counts as. */
  unknown: 0,
  initialising: 1,
  initWait: 2,
  initialised: 3,
  connected: 4,
  closing: 5,
  closed: 6,
  reconfiguring: 7,
  reconfigured: 8,
} as const;
export type XenbusState = (typeof XenbusState)[keyof typeof XenbusState];

const STATE_MAX = XenbusState.reconfigured;

/**
 * The only states a backend may show: Windows' frontend asserts on 3, 7 and 8, NetBSD's panics on what it does not
 * expect. 1 is written by the toolstack; 8 only in answer to a frontend's 7.
 */
export type BackendState =
  | typeof XenbusState.initWait
  | typeof XenbusState.connected
  | typeof XenbusState.closing
  | typeof XenbusState.closed
  | typeof XenbusState.reconfigured;

/** Undefined for anything but a decimal 0..8. */
export function parseState(text: string): XenbusState | undefined {
  return parseDecimal(text, 0, STATE_MAX) as XenbusState | undefined;
}

const names = new Map<number, string>(
  Object.entries(XenbusState).map(([name, state]) => [state, name[0]!.toUpperCase() + name.slice(1)]),
);

export function stateName(state: XenbusState): string {
  return names.get(state)!;
}
