/** `xvif guest add|rm|list`: guests of the emulated hypervisor. */
import type { AddGuestRequest, Guest } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { type Column, formatTable } from './table.js';
import { formatJson } from './units.js';

/** Making a domain and its TAP, and the frontend connecting; or the backend closing, for which a toolstack waits 10 s. */
const TIMEOUT_MS = 30_000;

const columns: readonly Column<Guest>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'DOMID', align: 'right', cell: ({ domid }) => String(domid) },
  { title: 'BRIDGE', cell: ({ bridge }) => bridge },
  { title: 'PORT', cell: ({ port }) => port },
  { title: 'MAC', cell: ({ mac }) => mac },
  { title: 'STACK', cell: ({ ip, tap }) => (tap === '' ? ip : `tap ${tap}`) },
  { title: 'STATE', cell: ({ state }) => state },
];

export function formatGuests(guests: readonly Guest[]): string {
  return formatTable(columns, guests, 'no guests');
}

export async function guestAdd({ api, json, print }: CommandContext, request: AddGuestRequest): Promise<void> {
  const guest = await api.call('addGuest', request, TIMEOUT_MS);
  print(json ? formatJson(guest) : formatGuests([guest]));
}

export async function guestRemove({ api, json, print }: CommandContext, name: string): Promise<void> {
  await api.call('removeGuest', { name }, TIMEOUT_MS);
  if (json) print(formatJson({ removed: name }));
}

export async function guestList({ api, json, print }: CommandContext): Promise<void> {
  const { guests } = await api.call('listGuests', {});
  print(json ? formatJson(guests) : formatGuests(guests));
}
