/**
 * The documents of one bridge: kept in a journal, compiled together for the ports that are there, and in force in its
 * tables. What a controller deletes or changes of them stays so until the next apply of the document.
 */
import { randomBytes } from 'node:crypto';
import { Backoff } from '../base/backoff.js';
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/error.js';
import type { Logger } from '../base/logger.js';
import { atOnce, inSlices, type Steps } from '../base/slices.js';
import type { PortIdentity } from '../bridge/bridge.js';
import type { LocalTables } from '../bridge/local-tables.js';
import { Refusal } from '../bridge/refusal.js';
import {
  Diagnostics,
  type DocumentText,
  LatePorts,
  type Origin,
  type Program,
  type SourceFile,
  textSteps,
} from '../compiler/index.js';
import { STANDALONE_COOKIE } from '../ofproto/index.js';
import {
  conflictText,
  lostBy,
  type Plan,
  type Change as PlannedChange,
  type PlanOptions,
  planSteps,
  type SwitchState,
} from '../reconcile/index.js';
import { changed, type Documents, difference, type Kept } from './change.js';
import { type Compiled, compileAll, compileTexts, wasRead } from './compiled.js';
import type { Journal } from './journal.js';
import { knownPort } from './known-ports.js';
import { inError, sentenceOf } from './left-out.js';
import {
  COMPILE_TRIES,
  CONFIRM_MAX_MS,
  DOCUMENTS_MAX,
  PORTS_SETTLE_MS,
  RETRY_FIRST_MS,
  RETRY_MAX_MS,
  TEXT_BYTES_MAX,
} from './limits.js';
import { carryOut, lookAt, putBack, stateOf } from './local-switch.js';

/** Where ports come from; a bridge is one. */
export interface PortSource {
  identities(): readonly PortIdentity[];
  onIdentities(listener: () => void): void;
}

export interface ApplyRequest {
  readonly files: readonly SourceFile[];
  /** Also take away what the owners of the files have and no file says any more. */
  readonly prune: boolean;
  /** Undo it unless it is confirmed in this many milliseconds; 0: it needs no confirmation. */
  readonly confirmMs: number;
}

export interface Outcome {
  /** Of the files; with errors in them nothing was done, and there is no plan. */
  readonly diagnostics: Diagnostics;
  readonly plan: Plan | undefined;
  /** Documents that are not kept any more. */
  readonly removed: readonly string[];
  /** Ports that are not there, which rules wait for. */
  readonly waiting: readonly string[];
  /** What {@link BridgeDocuments.confirm} is to be told; absent: there is nothing to confirm. */
  readonly token?: string;
}

export interface DocumentStatus extends Kept {
  /** In force. */
  readonly flows: number;
  readonly waitingFlows: number;
  readonly waitingPorts: readonly string[];
  /** It goes, or becomes what it was, unless it is confirmed. */
  readonly unconfirmed: boolean;
  /** Why its flows are not as they should be; empty: they are. */
  readonly problem: string;
}

export interface BridgeDocumentsOptions {
  readonly tables: LocalTables;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallMs?: () => number;
  readonly logger: Logger;
  /** What to put into the tables of what was compiled: whoever changes groups by themselves says so here. */
  readonly altered?: (program: Program) => Program;
  /** Called with what is in force now, as it was compiled, after each change. */
  readonly onInForce?: (program: Program) => void;
}

/** A change that goes unless it is confirmed in time. */
interface Unconfirmed {
  readonly token: string;
  readonly before: Documents;
  readonly timer: Timer;
}

/** A change that is taken back until the tables are as they were. */
interface Undo {
  /** Of a change that was not confirmed. */
  readonly token: string | undefined;
  /** What it took away beyond the documents, as changes that bring it back. */
  readonly lost: readonly PlannedChange[];
}

/** Documents were compiled for ports that are others now. */
class PortsMoved extends Refusal {
  constructor() {
    super('unavailable', 'ports came and went all the time while documents were compiled for them');
  }
}

const TOKEN_BYTES = 4;
const NOTHING: Documents = new Map();

export class BridgeDocuments {
  readonly #options: BridgeDocumentsOptions;
  #ports: Pick<PortSource, 'identities'> = { identities: () => [] };
  #documents: Documents = NOTHING;
  /** What was put into the tables last. */
  #inForce: Compiled = atOnce(compileAll(NOTHING, []));
  #problem = '';
  /** Kept by an earlier version of this program, and refused by this one: why. */
  readonly #leftOut = new Map<Kept, string>();
  #unconfirmed: Unconfirmed | undefined;
  /** What became of the change before, by its token. */
  #ended: { readonly token: string; readonly how: string } | undefined;
  #undo: Undo | undefined;
  #settling: Timer | undefined;
  #retry: Timer | undefined;
  readonly #backoff = new Backoff({ firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS });
  /** One thing at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: BridgeDocumentsOptions) {
    this.#options = options;
  }

  /** Puts what the journal has into force. Never rejects: what cannot be done is told in the log and by {@link list}. */
  start(): Promise<void> {
    return this.#alone(async () => {
      this.#documents = this.#options.journal.documents;
      if (this.#documents.size > 0)
        await this.#settle(
          () => false,
          () => true,
        );
    });
  }

  /** Documents are compiled for these ports from now on, again after each change of them. */
  follow(ports: PortSource): void {
    this.#ports = ports;
    ports.onIdentities(() => this.#portsChanged());
    this.#portsChanged();
  }

  /** What {@link apply} would do. Rejects with {@link Refusal} where it would. */
  plan({ files, prune }: ApplyRequest): Promise<Outcome> {
    return this.#alone(async () => {
      const wanted = await this.#wanted(files, prune);
      if (wanted.compiled === undefined) return wanted.outcome;
      const plan = await lookAt(this.#options.tables, this.#planner(wanted.compiled, wanted.options));
      refuseConflicts(plan);
      return { ...wanted.outcome, plan };
    });
  }

  /** Rejects with {@link Refusal}; nothing has changed then. */
  apply({ files, prune, confirmMs }: ApplyRequest): Promise<Outcome> {
    return this.#alone(async () => {
      this.#refuseUnconfirmed();
      if (confirmMs > CONFIRM_MAX_MS) throw new Refusal('invalid', `a confirmation has at most ${CONFIRM_MAX_MS} ms`);
      return this.#forPorts(async () => {
        const wanted = await this.#wanted(files, prune);
        if (wanted.compiled === undefined) return wanted.outcome;
        const { documents, compiled, options } = wanted;
        const plan = await this.#change(documents, compiled, options, confirmMs);
        const { token } = this.#unconfirmed ?? {};
        return { ...wanted.outcome, plan, ...(token === undefined ? {} : { token }) };
      });
    });
  }

  /** Rejects with {@link Refusal} where one is not there; nothing has changed then. */
  remove(names: readonly string[]): Promise<Outcome> {
    return this.#alone(async () => {
      this.#refuseUnconfirmed();
      const unknown = names.find((name) => !this.#documents.has(name));
      if (unknown !== undefined) throw new Refusal('notFound', `there is no document "${unknown}"`);
      const documents = changed(this.#documents, { put: [], removed: names });
      return this.#forPorts(async () => {
        const compiled = await this.#compile(this.#without(documents, this.#leftOut));
        const { diagnostics } = compiled;
        if (diagnostics.errors > 0) {
          const [first] = diagnostics.sorted();
          throw new Refusal('unavailable', `others need it: ${first!.message} (${first!.file.name})`);
        }
        const plan = await this.#change(documents, compiled, { prune: false, leave: () => true }, 0);
        return { diagnostics, plan, removed: names, waiting: waitingIn(compiled) };
      });
    });
  }

  /** Keeps the change that was given this token. Rejects with {@link Refusal} where it does not wait for that. */
  confirm(token: string): Promise<void> {
    return this.#alone(async () => {
      if (this.#unconfirmed?.token !== token) this.#refuseToken(token);
      this.#write(this.#documents);
      this.#end('confirmed already');
    });
  }

  #refuseToken(token: string): never {
    if (this.#ended?.token === token) throw new Refusal('notFound', `change ${token} is ${this.#ended.how}`);
    const waits = this.#unconfirmed === undefined ? 'nothing waits to be confirmed' : 'another one waits';
    throw new Refusal('notFound', `there is no change ${JSON.stringify(token)} to be confirmed: ${waits}`);
  }

  /** Nothing waits any more. */
  #end(how: string): void {
    const { token, timer } = this.#unconfirmed!;
    timer.cancel();
    this.#ended = { token, how };
    this.#unconfirmed = undefined;
  }

  list(): readonly DocumentStatus[] {
    const flows = new Map<string, number>();
    for (const { origin } of this.#inForce.program.flows) {
      flows.set(origin.document, (flows.get(origin.document) ?? 0) + 1);
    }
    return [...this.#documents.values()].map((document) => {
      const { name } = document;
      const waiting = this.#inForce.waiting.get(name);
      const refused = this.#leftOut.get(document);
      return {
        ...document,
        flows: flows.get(name) ?? 0,
        waitingFlows: waiting?.flows ?? 0,
        waitingPorts: waiting?.ports ?? [],
        unconfirmed: this.#unconfirmed !== undefined && this.#unconfirmed.before.get(name) !== document,
        problem: refused === undefined ? this.#problem : `refused: ${refused}`,
      };
    });
  }

  /** What the bridge's tables hold, whoever put it there. */
  state(): Promise<SwitchState> {
    return stateOf(this.#options.tables);
  }

  /** What is in force of them. */
  get program(): Program {
    return this.#inForce.program;
  }

  /** The rule that a flow with this cookie is of. */
  origin(cookie: bigint): Origin | undefined {
    return this.#inForce.origins.get(cookie);
  }

  /** When it resolves nothing is under way. What is not confirmed is not in the journal, and so is not there next time. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#settling?.cancel();
    this.#retry?.cancel();
    this.#unconfirmed?.timer.cancel();
    await this.#last.catch(() => undefined);
  }

  // ---- what is wanted

  /** With errors in the files there is nothing but an outcome. */
  async #wanted(files: readonly SourceFile[], prune: boolean) {
    const found = new Diagnostics();
    const read = await inSlices(textSteps(files, found));
    const texts = read.map(({ read, ...text }) => {
      wasRead(text, read);
      return { text, read };
    });
    const failed = (diagnostics: Diagnostics) => ({
      compiled: undefined,
      outcome: { diagnostics, plan: undefined, removed: [], waiting: [] },
    });
    if (found.errors > 0) return failed(found);
    const written = texts.map(({ text }) => text);
    this.#refuseOthers(written);
    const names = new Set(written.map(({ name }) => name));
    const owners = new Set(written.map(({ owner }) => owner));
    const rest = [...this.#documents.values()].filter(({ name }) => !names.has(name));
    const removed = rest.filter(({ owner }) => prune && owners.has(owner));
    const kept = rest.filter((document) => !removed.includes(document));
    this.#refuseTooMany([...kept, ...written]);
    const ports = new LatePorts(
      this.#known(),
      [...this.#documents.values()].flatMap(({ portNames }) => portNames),
    );
    const good = kept.filter((document) => !this.#leftOut.has(document));
    const compiled = await inSlices(compileTexts([...good, ...written], ports));
    const { diagnostics, program } = compiled;
    if (diagnostics.errors > 0) return failed(diagnostics);
    const appliedMs = (this.#options.wallMs ?? Date.now)();
    const put = texts.map(({ text, read }): Kept => {
      const document = { ...text, appliedMs, portNames: namesIn(text, ports) };
      wasRead(document, read);
      return document;
    });
    const ids = [...owners].flatMap((owner) => program.owners.get(owner) ?? []);
    const options: PlanOptions = {
      prune: prune ? new Set(ids) : false,
      leave: ({ document }) => !names.has(document),
    };
    const removedNames = removed.map(({ name }) => name);
    return {
      documents: changed(this.#documents, { put, removed: removedNames }),
      compiled,
      options,
      outcome: { diagnostics, plan: undefined, removed: removedNames, waiting: waitingIn(compiled) },
    };
  }

  #refuseUnconfirmed(): void {
    if (this.#unconfirmed !== undefined) throw new Refusal('unavailable', 'the change before waits to be confirmed');
  }

  #refuseOthers(texts: readonly DocumentText[]): void {
    for (const { name, owner } of texts) {
      const holder = this.#documents.get(name)?.owner;
      if (holder !== undefined && holder !== owner) {
        throw new Refusal('exists', `document "${name}" belongs to "${holder}", not to "${owner}"`);
      }
    }
  }

  #refuseTooMany(texts: readonly DocumentText[]): void {
    const bytes = texts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    if (texts.length > DOCUMENTS_MAX) throw new Refusal('unavailable', `more than ${DOCUMENTS_MAX} documents`);
    if (bytes > TEXT_BYTES_MAX) throw new Refusal('unavailable', `documents of more than ${TEXT_BYTES_MAX} bytes`);
  }

  // ---- changing the tables

  #known() {
    return this.#ports.identities().map(knownPort);
  }

  #compile(documents: Documents): Promise<Compiled> {
    return inSlices(compileAll(documents, this.#known()));
  }

  #without(documents: Documents, left: ReadonlyMap<Kept, string>): Documents {
    const names = [...left.keys()].filter((one) => documents.get(one.name) === one).map(({ name }) => name);
    return changed(documents, { put: [], removed: names });
  }

  /** Without those that are in error and may be left out. */
  async #compileKept(mayLeave: (document: Kept) => boolean): Promise<Compiled> {
    const left = new Map<Kept, string>();
    for (;;) {
      const compiled = await this.#compile(this.#without(this.#documents, left));
      const { diagnostics } = compiled;
      if (diagnostics.errors === 0) {
        this.#noteLeftOut(left);
        return compiled;
      }
      const wrong = [...inError(diagnostics, this.#documents)].filter(([one]) => !left.has(one) && mayLeave(one));
      if (wrong.length === 0) {
        const [first] = diagnostics.sorted().filter(({ severity }) => severity === 'error');
        throw new Refusal('invalid', first === undefined ? 'too much is wrong' : sentenceOf(first));
      }
      for (const [document, reason] of wrong) left.set(document, reason);
    }
  }

  /** Those that are not there now may come back, where a change is undone. */
  #noteLeftOut(left: ReadonlyMap<Kept, string>): void {
    for (const document of this.#documents.values()) if (!left.has(document)) this.#leftOut.delete(document);
    for (const [document, reason] of left) {
      if (!this.#leftOut.has(document))
        this.#options.logger.error({ document: document.name, reason }, 'a document is refused, and not in force');
      this.#leftOut.set(document, reason);
    }
  }

  #planner(compiled: Compiled, options: PlanOptions): (state: SwitchState) => Steps<Plan> {
    const replaceable = (cookie: bigint) => cookie === STANDALONE_COOKIE;
    const { program: previous } = this.#inForce;
    const { altered = (program) => program } = this.#options;
    return (state) => planSteps(altered(compiled.program), state, { replaceable, previous, ...options });
  }

  /** `work` compiles and puts; again where ports came or went meanwhile. */
  async #forPorts<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof PortsMoved) || tries === COMPILE_TRIES) throw error;
      }
    }
  }

  async #put(compiled: Compiled, options: PlanOptions): Promise<Plan> {
    const plan = await carryOut(this.#options.tables, this.#planner(compiled, options), (made) => {
      if (compiled.ports.differs(this.#known())) throw new PortsMoved();
      refuseConflicts(made);
    });
    this.#inForce = compiled;
    this.#options.onInForce?.(compiled.program);
    this.#problem = '';
    this.#retry?.cancel();
    this.#backoff.reset();
    return plan;
  }

  async #change(documents: Documents, compiled: Compiled, options: PlanOptions, confirmMs: number): Promise<Plan> {
    const before = this.#documents;
    const plan = await this.#put(compiled, options);
    // The tables fit again, and what is lost may be in the way of what is new.
    this.#undone([]);
    this.#documents = documents;
    if (confirmMs > 0) {
      const token = randomBytes(TOKEN_BYTES).toString('hex');
      const timer = this.#options.clock.after(confirmMs, () => void this.#rollBack(token, plan));
      this.#unconfirmed = { token, before, timer };
      return plan;
    }
    try {
      this.#write(documents);
    } catch (error) {
      this.#documents = before;
      this.#undo = { token: undefined, lost: lostBy(plan) };
      await this.#settle(() => true);
      throw error;
    }
    return plan;
  }

  #write(documents: Documents): void {
    const { journal, logger } = this.#options;
    try {
      journal.append(difference(journal.documents, documents));
    } catch (error) {
      logger.error({ err: error }, 'journal of documents cannot be written');
      throw new Refusal('unavailable', `it cannot be written down: ${messageOf(error)}`);
    }
  }

  /** Unless it was confirmed meanwhile. */
  #rollBack(token: string, plan: Plan): Promise<void> {
    return this.#alone(async () => {
      if (this.#unconfirmed?.token !== token || this.#closed) return;
      this.#documents = this.#unconfirmed.before;
      this.#undo = { token, lost: lostBy(plan) };
      this.#end('to be undone, as it was not confirmed in time; what is in the way is told with the documents');
      await this.#settle(() => true);
    });
  }

  /** The tables fit the documents of before. What cannot come back beyond them is told, and given up. */
  async #finishUndo(): Promise<void> {
    if (this.#undo === undefined) return;
    const { tables, logger } = this.#options;
    const { lost } = this.#undo;
    const refused = lost.length === 0 ? [] : await putBack(tables, lost).catch((error) => [messageOf(error)]);
    if (refused.length > 0) {
      logger.warn({ refused: refused.length, first: refused[0] }, 'documents: not all that was pruned came back');
    }
    this.#undone(refused);
  }

  #undone(refused: readonly string[]): void {
    const { token } = this.#undo ?? {};
    this.#undo = undefined;
    if (token === undefined) return;
    const but = refused.length === 0 ? '' : `; not all that it had pruned came back: ${refused[0]}`;
    this.#ended = { token, how: `undone: it was not confirmed in time${but}` };
    this.#options.logger.warn({}, 'documents: not confirmed in time, they are as they were before');
  }

  #portsChanged(): void {
    if (this.#closed || this.#settling !== undefined) return;
    this.#settling = this.#options.clock.after(PORTS_SETTLE_MS, () => {
      this.#settling = undefined;
      void this.#alone(async () => {
        const due = this.#problem !== '' || this.#inForce.ports.differs(this.#known());
        if (!this.#closed && due) await this.#settle(() => true);
      });
    });
  }

  /** Makes the tables fit the documents. What fails is told and tried again later, and what was in force stays. */
  async #settle(
    leave: NonNullable<PlanOptions['leave']>,
    /** What was in force stays so rather than going: only what never was is left out. */
    mayLeave = (document: Kept) => this.#leftOut.has(document),
  ): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#forPorts(async () => {
        const compiled = await this.#compileKept(mayLeave);
        const { changes } = await this.#put(compiled, { prune: false, leave });
        logger.info({ changes: changes.length, waiting: waitingIn(compiled) }, 'documents compiled for the ports');
      });
      await this.#finishUndo();
    } catch (error) {
      const told = this.#problem === messageOf(error);
      this.#problem = messageOf(error);
      const reason = error instanceof Refusal ? { reason: error.message } : { err: error };
      if (!told) logger.error(reason, 'documents are not in force as they are now');
      if (!this.#closed) this.#tryAgainLater();
    }
  }

  /** Each try compiles everything, so they become rare. Ports that change do not wait for it. */
  #tryAgainLater(): void {
    this.#retry?.cancel();
    this.#retry = this.#options.clock.after(this.#backoff.nextMs(), () => this.#portsChanged());
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function refuseConflicts(plan: Plan): void {
  const conflict = conflictText(plan);
  if (conflict !== undefined) throw new Refusal('exists', conflict);
}

const waitingIn = ({ waiting }: Compiled): string[] => [
  ...new Set([...waiting.values()].flatMap(({ ports }) => ports)),
];

/** Words that stand in the text; they are not told by document. */
const namesIn = ({ text }: DocumentText, ports: LatePorts): string[] =>
  ports.portNames.filter((name) => text.includes(name));
