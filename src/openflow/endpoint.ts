/** Where controllers are or may come from, and what is spoken there. */

/** A target (see parseTarget); an object where other versions of OpenFlow are spoken than elsewhere. */
export type Endpoint =
  | string
  | {
      readonly target: string;
      /** Wire versions, at least one. */
      readonly versions: readonly number[];
    };

export function targetOf(endpoint: Endpoint): string {
  return typeof endpoint === 'string' ? endpoint : endpoint.target;
}

/** Undefined: those that are spoken elsewhere. */
export function versionsOf(endpoint: Endpoint): readonly number[] | undefined {
  return typeof endpoint === 'string' ? undefined : endpoint.versions;
}
