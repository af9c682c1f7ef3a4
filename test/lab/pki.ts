/** Certificate authorities and certificates, made by openssl as an administrator would. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sh } from './process.js';

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export class Authority {
  readonly #folder: string;
  readonly name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.name = name;
  }

  /** Files go into `folder`. */
  static async make(folder: string, name: string): Promise<Authority> {
    const self = new Authority(folder, name);
    const ca = ['-addext', 'basicConstraints=critical,CA:TRUE'];
    const out = ['-keyout', self.#key, '-out', self.cert];
    await sh('openssl', 'req', '-x509', ...newKey, ...out, '-subj', `/CN=${name}`, '-days', '30', ...ca);
    return self;
  }

  get cert(): string {
    return join(this.#folder, `${this.name}.pem`);
  }

  get #key(): string {
    return join(this.#folder, `${this.name}.key`);
  }

  /** A key and a certificate; expired when `days` is negative. */
  async issue(name: string, days = 30): Promise<Identity> {
    const file = (end: string) => join(this.#folder, `${name}.${end}`);
    const [key, request, cert] = [file('key'), file('csr'), file('pem')];
    await sh('openssl', 'req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    const ca = ['-CA', this.cert, '-CAkey', this.#key, '-CAcreateserial'];
    await sh('openssl', 'x509', '-req', '-in', request, ...ca, '-out', cert, '-days', String(days));
    return { key, cert };
  }
}

/** Options of Open vSwitch's programs, which are xvifd's too. */
export function tlsOptions({ key, cert }: Identity, authority: { readonly cert: string }): string[] {
  return [`--private-key=${key}`, `--certificate=${cert}`, `--ca-cert=${authority.cert}`];
}

/** Into a file that stays what it is; copying would give it the permissions of the other. */
export function overwrite(file: string, from: string): void {
  writeFileSync(file, readFileSync(from));
}

export function overwriteIdentity(to: Identity, from: Identity): void {
  overwrite(to.key, from.key);
  overwrite(to.cert, from.cert);
}
