/** Calls about the documents of bridges. */
import { inSlices, type Steps } from '../base/slices.js';
import type { Bridge } from '../bridge/bridge.js';
import type { Bridges } from '../bridge/bridges.js';
import { Refusal } from '../bridge/refusal.js';
import { isOurs, ownerOf, type ReportFormat, report, reportFormats, SourceFile } from '../compiler/index.js';
import type { Outcome } from '../documents/bridge-documents.js';
import type { AllDocuments } from '../documents/documents.js';
import { knownPort } from '../documents/known-ports.js';
import { exportFlowSet, type Change as PlannedChange } from '../reconcile/index.js';
import { changeView, place } from './changes.js';
import type { ApiHandlers, ApplyDocumentsRequest, Change, DocumentsReply, Flow } from './messages.js';
import { readVersion } from './version.js';

type DocumentCall =
  | 'planDocuments'
  | 'applyDocuments'
  | 'confirmDocuments'
  | 'deleteDocuments'
  | 'listDocuments'
  | 'exportFlows';

export function documentHandlers(documents: AllDocuments, bridges: Bridges): Pick<ApiHandlers, DocumentCall> {
  return {
    planDocuments: async (request) => {
      const format = formatOf(request);
      return await reply(await documents.get(bridges, request.bridge).plan(applyRequest(request)), format);
    },
    applyDocuments: async (request) => {
      const format = formatOf(request);
      return await reply(await documents.get(bridges, request.bridge).apply(applyRequest(request)), format);
    },
    confirmDocuments: async ({ bridge, token }) => {
      await documents.get(bridges, bridge).confirm(token);
      return {};
    },
    deleteDocuments: async ({ bridge, names }) =>
      await reply(await documents.get(bridges, bridge).remove(names), reportFormats[0]),
    exportFlows: async ({ bridge: asked, name }) => {
      const bridge = asked === '' ? bridges.only() : bridges.get(asked);
      const state = await documents.get(bridges, bridge.name).state();
      return { text: exportFlowSet(state, { name, ports: bridge.identities().map(knownPort) }) };
    },
    listDocuments: ({ bridge }) => ({
      documents: bridges.select(bridge).flatMap(({ name }) =>
        (documents.of(name)?.list() ?? []).map((document) => ({
          ...document,
          bridge: name,
          appliedMs: BigInt(document.appliedMs),
          flows: BigInt(document.flows),
          waitingFlows: BigInt(document.waitingFlows),
        })),
      ),
    }),
  };
}

function formatOf({ format }: ApplyDocumentsRequest): ReportFormat {
  const found = format === '' ? reportFormats[0] : reportFormats.find((one) => one === format);
  if (found === undefined) throw new Refusal('invalid', `no report is called "${format}"`);
  return found;
}

const applyRequest = ({ files, prune, confirmMs }: ApplyDocumentsRequest) => ({
  files: files.map(({ name, text }) => new SourceFile(name, text)),
  prune,
  confirmMs,
});

function* views(changes: readonly PlannedChange[]): Steps<Change[]> {
  const made: Change[] = [];
  for (const change of changes) {
    made.push(changeView(change));
    yield;
  }
  return made;
}

async function reply(
  { diagnostics, plan, removed, waiting, token = '' }: Outcome,
  format: ReportFormat,
): Promise<DocumentsReply> {
  const { errors, warnings } = diagnostics;
  return {
    errors,
    warnings,
    report: report(diagnostics, format, readVersion()),
    changes: await inSlices(views(plan?.changes ?? [])),
    unchanged: BigInt(plan?.unchanged ?? 0),
    stale: plan?.stale ?? [],
    removed,
    waiting,
    token,
  };
}

/** Whose flow it is; of owners who have no documents here only the number is known. */
export function originView(
  documents: AllDocuments,
  { name }: Bridge,
  cookie: bigint,
): Pick<Flow, 'owner' | 'rule' | 'file' | 'line'> {
  if (!isOurs(cookie)) return { owner: '', ...place(undefined) };
  const origin = documents.of(name)?.origin(cookie);
  return { owner: origin?.owner ?? String(ownerOf(cookie)), ...place(origin) };
}
