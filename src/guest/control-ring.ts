/**
 * What a driver says on its control ring (io/netif.h): receive side scaling in the requests and the order of xenvif,
 * which is one that backends take. For the guest's side; whoever has a connected {@link NativeFrontend} may use it.
 */
import type { ControlAnswer, NativeFrontend } from '../datapath/native-addon.js';

const REQUEST = {
  getHashFlags: 1,
  setHashFlags: 2,
  setHashKey: 3,
  getHashMappingSize: 4,
  setHashMappingSize: 5,
  setHashMapping: 6,
  setHashAlgorithm: 7,
  getGrefMappingSize: 8,
} as const;

const ALGORITHM = { none: 0, toeplitz: 1 } as const;
const STATUS = ['success', 'not supported', 'invalid parameter', 'buffer overflow'];

/** Bits of hash types; their numbers are what a HASH extra info carries. */
export const HASH_TYPE = { ipv4: 1, ipv4Tcp: 2, ipv6: 4, ipv6Tcp: 8 } as const;

export interface Hashing {
  /** Or of {@link HASH_TYPE}. */
  readonly types: number;
  /** At most 40 bytes. */
  readonly key: Uint8Array;
  /** Queue of hash mod length; empty: hash mod queues. At most 128. */
  readonly mapping: readonly number[];
}

export type ControlRing = Pick<NativeFrontend, 'controlRequest'>;

/** Turns Toeplitz hashing on, or changes it. Rejects with the request that the backend refused. */
export async function setHashing(ring: ControlRing, hashing: Hashing): Promise<void> {
  const { types, key, mapping } = hashing;
  await ask(ring, 'setHashAlgorithm', [ALGORITHM.toeplitz, 0, 0]);
  await ask(ring, 'setHashMappingSize', [mapping.length, 0, 0]);
  // There is a page for no entries too.
  const entries = new Uint8Array(Uint32Array.from(mapping.length === 0 ? [0] : mapping).buffer);
  await ask(ring, 'setHashMapping', [0, mapping.length, 0], entries);
  await ask(ring, 'setHashKey', [0, key.length, 0], key);
  await ask(ring, 'setHashFlags', [types, 0, 0]);
}

/** The backend steers as it likes, and sends no hashes. */
export async function endHashing(ring: ControlRing): Promise<void> {
  await ask(ring, 'setHashAlgorithm', [ALGORITHM.none, 0, 0]);
}

/** Of hashes, as the backend tells once an algorithm is set. */
export async function hashTypes(ring: ControlRing): Promise<number> {
  return (await ask(ring, 'getHashFlags', [0, 0, 0])).data;
}

export interface ControlLimits {
  /** Or of {@link HASH_TYPE}; known once an algorithm is set, else 0. */
  readonly hashTypes: number;
  readonly mappingSize: number;
  /** Staging grants of one queue; 0: none are taken. */
  readonly stagingGrants: number;
}

/** What the backend can do. */
export async function controlLimits(ring: ControlRing): Promise<ControlLimits> {
  const value = async (name: keyof typeof REQUEST) => {
    const answer = await ring.controlRequest({ type: REQUEST[name], data: [0, 0, 0] });
    return answer.status === 0 ? answer.data : 0;
  };
  return {
    hashTypes: await value('getHashFlags'),
    mappingSize: await value('getHashMappingSize'),
    stagingGrants: await value('getGrefMappingSize'),
  };
}

async function ask(
  ring: ControlRing,
  name: keyof typeof REQUEST,
  data: readonly [number, number, number],
  page?: Uint8Array,
): Promise<ControlAnswer> {
  const withPage = page !== undefined && page.length > 0 ? { page, pageAt: 0 as const } : {};
  const answer = await ring.controlRequest({ type: REQUEST[name], data, ...withPage });
  if (answer.status !== 0) {
    throw new Error(`the backend refused ${name}: ${STATUS[answer.status] ?? `status ${answer.status}`}`);
  }
  return answer;
}
