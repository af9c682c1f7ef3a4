/**
 * Our private key and certificate, and the certificate authority by which others are known: files that may be replaced
 * while connections stand. Each new connection uses what the files say then; what makes no sense, as a file that is
 * half written or a key without its certificate, is told in the log, and what was in use before stays.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type FSWatcher, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { type Clock, systemClock, type Timer } from '../base/clock.js';
import { messageOf } from '../base/error.js';
import type { Logger } from '../base/logger.js';
import { TLS_SETTLE_MS } from './limits.js';

/** Paths of PEM files, with the meaning they have for Open vSwitch (ovs-vswitchd(8), "Public Key Infrastructure"). */
export interface TlsFiles {
  readonly privateKey: string;
  /** Ours first, then those that lead from it to the authority, if any. */
  readonly certificate: string;
  readonly caCert: string;
  /** While `caCert` does not exist it is taken from the first peer that sends one, and trusted from then on. */
  readonly bootstrap: boolean;
}

/** What a connection is made with. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
  /** Undefined: there is none yet (bootstrap), and nobody can be trusted. */
  readonly ca: string | undefined;
}

export class TlsCredentials {
  readonly #files: TlsFiles;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #watchers: FSWatcher[] = [];
  #settling: Timer | undefined;
  /** Of the files as they were last looked at, good or not. */
  #seen = '';
  #current: TlsIdentity | undefined;
  #failure = '';

  /** Reads the files. That they are of no use is no reason not to start: they may become so. */
  constructor(files: TlsFiles, logger: Logger, clock: Clock = systemClock) {
    this.#files = files;
    this.#logger = logger;
    this.#clock = clock;
    this.#look();
    for (const folder of new Set(this.#paths.map((path) => dirname(path)))) this.#watch(folder);
  }

  /** For a new connection. Throws a sentence when the files never were of use. */
  identity(): TlsIdentity {
    this.#look();
    if (this.#current === undefined) throw new Error(this.#failure);
    return this.#current;
  }

  /**
   * `top` is the last certificate of what the first peer sent. Keeps it as our authority's and resolves with undefined,
   * or resolves with the reason not to.
   */
  adopt(top: X509Certificate): string | undefined {
    if (!top.ca || !top.checkIssued(top)) return 'it sent no CA certificate to be taken as ours';
    try {
      writeFileSync(this.#files.caCert, top.toString(), { flag: 'wx', mode: 0o644 });
    } catch (error) {
      return `its CA certificate cannot be kept: ${messageOf(error)}`;
    }
    const { subject, fingerprint256 } = top;
    this.#logger.warn(
      { file: this.#files.caCert, subject: oneLine(subject), fingerprint: fingerprint256 },
      'CA certificate taken from the first peer: from now on it is trusted',
    );
    return undefined;
  }

  close(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
    this.#settling?.cancel();
  }

  get #paths(): readonly string[] {
    return [this.#files.privateKey, this.#files.certificate, this.#files.caCert];
  }

  /** So that what is wrong is told when it becomes so. A folder that cannot be watched is looked at all the same. */
  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#settling?.cancel();
        this.#settling = this.#clock.after(TLS_SETTLE_MS, () => this.#look());
      });
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch (error) {
      this.#logger.warn({ folder, reason: messageOf(error) }, 'TLS files are not watched');
    }
  }

  #look(): void {
    const seen = this.#paths.map(state).join();
    if (seen === this.#seen) return;
    this.#seen = seen;
    try {
      const next = load(this.#files);
      const before = this.#current;
      if (before?.key === next.key && before.cert === next.cert && before.ca === next.ca) return;
      this.#current = next;
      this.#logger.info({ certificate: describe(next.cert) }, before === undefined ? 'TLS files' : 'TLS files changed');
    } catch (error) {
      this.#failure = messageOf(error);
      const outcome =
        this.#current === undefined ? 'TLS is of no use' : 'TLS files not taken: the old ones stay in use';
      this.#logger.warn({ reason: this.#failure }, outcome);
    }
  }
}

/** What tells that a file is not the same any more. */
function state(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '-' : `${stat.ino}/${stat.size}/${stat.mtimeNs}/${stat.ctimeNs}`;
}

/** Throws a sentence. */
function load(files: TlsFiles): TlsIdentity {
  const key = read('private key', files.privateKey);
  const cert = read('certificate', files.certificate);
  const ca = files.bootstrap && state(files.caCert) === '-' ? undefined : read('CA certificate', files.caCert);
  const privateKey = parseKey(key, files.privateKey);
  const [own] = certificates(cert, files.certificate);
  if (!own!.checkPrivateKey(privateKey)) {
    throw new Error(`private key ${files.privateKey} is not that of certificate ${files.certificate}`);
  }
  if (ca !== undefined) certificates(ca, files.caCert);
  try {
    // What OpenSSL itself does not like, as keys that are too short.
    createSecureContext({ key, cert, ca });
  } catch (error) {
    throw new Error(`${files.certificate}, ${files.caCert}: ${messageOf(error)}`);
  }
  return { key, cert, ca };
}

function read(what: string, path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    throw new Error(`cannot read the ${what}: ${messageOf(error)}`);
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isLocked = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    throw new Error(
      `private key ${path} ${isLocked ? 'has a passphrase, which nobody can give' : 'is none, or not whole'}`,
    );
  }
}

const BEGIN = '-----BEGIN CERTIFICATE-----';

/** At least one. Throws a sentence when one is broken. */
function certificates(pem: string, path: string): X509Certificate[] {
  const [, ...parts] = pem.split(BEGIN);
  if (parts.length === 0) throw new Error(`there is no certificate in ${path}`);
  return parts.map((part) => {
    try {
      return new X509Certificate(`${BEGIN}${part}`);
    } catch {
      throw new Error(`a certificate in ${path} is none, or not whole`);
    }
  });
}

/** Whose certificate it is, and until when. */
function describe(pem: string): string {
  const { subject, validTo } = new X509Certificate(pem);
  const over = Date.parse(validTo) < Date.now() ? ': it has expired' : '';
  return `${oneLine(subject)}, valid to ${validTo}${over}`;
}

/** Subject or issuer of a certificate, which has a line per part. */
export function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}
