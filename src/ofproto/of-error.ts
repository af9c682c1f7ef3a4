/** Errors that a controller is answered with, and what a Status of the datapath becomes (OpenFlow 1.3.5 §7.4.4). */
import { type ErrorNumbers, encodeMessage, errorFor, type Message, nicira, of13, of15 } from 'node-openflow';
import { Status } from '../datapath/schema.gen.js';
import type { ControllerView } from './controller-view.js';

const { OFPET, OFPBAC, OFPBIC, OFPBRC, OFPFMFC, OFPGMFC, OFPMMFC } = of13;

/** OFPET_* and the code that goes with it. */
export interface OfError {
  readonly type: number;
  readonly code: number;
  /** One of Nicira's, whatever the numbers are. */
  readonly nicira?: nicira.NxErrorName;
}

/** One of Nicira's errors; the numbers are those of 1.2 and later. */
export function niciraError(name: nicira.NxErrorName): OfError {
  return { type: EXPERIMENTER_ERROR, code: nicira.NX_ERRORS[name].code, nicira: name };
}
const EXPERIMENTER_ERROR = 0xffff;

function family(type: number): (code: number) => OfError {
  return (code) => ({ type, code });
}

export const badRequest = family(OFPET.BAD_REQUEST);
export const badAction = family(OFPET.BAD_ACTION);
export const badInstruction = family(OFPET.BAD_INSTRUCTION);
export const badMatch = family(OFPET.BAD_MATCH);
export const flowModFailed = family(OFPET.FLOW_MOD_FAILED);
export const groupModFailed = family(OFPET.GROUP_MOD_FAILED);
export const meterModFailed = family(OFPET.METER_MOD_FAILED);
export const portModFailed = family(OFPET.PORT_MOD_FAILED);
export const tableModFailed = family(OFPET.TABLE_MOD_FAILED);
export const queueOpFailed = family(OFPET.QUEUE_OP_FAILED);
export const switchConfigFailed = family(OFPET.SWITCH_CONFIG_FAILED);
export const tableFeaturesFailed = family(OFPET.TABLE_FEATURES_FAILED);

/** What §7.4.4 asks an error to carry at least. */
const ERROR_DATA_BYTES = 64;

/** Up to this version clients may know no errors but those of its specification (1.1's of Xen Orchestra gives up). */
const LAST_STRICT = 2;

/** 1.0, whose groups are Nicira's. */
const FIRST_VERSION = 1;

/** Who sends Nicira's messages knows Nicira's errors. */
function speaksNicira(request: Message): boolean {
  const { type, version } = request;
  const nicira = (name: string): boolean =>
    name.startsWith('nx_') || (version === FIRST_VERSION && name.startsWith('group'));
  return nicira(type) || (type === 'multipart_request' && nicira(request.body.type));
}

function numbersIn(request: Message, error: OfError): ErrorNumbers {
  const { version } = request;
  const standard = version <= LAST_STRICT && !speaksNicira(request);
  if (error.nicira === undefined) return errorFor(version, error, { standard });
  return standard ? errorFor(version, badRequest(OFPBRC.EPERM), { standard }) : nicira.nxError(version, error.nicira);
}

/** Answers a request with an error, given in 1.3's or 1.5's numbers, as the request's version says it. */
export function sendError(view: Pick<ControllerView, 'send'>, request: Message, error: OfError): void {
  const { type: errorType, code: errorCode, experimenter, prefix } = numbersIn(request, error);
  const begin = encodeMessage(request).slice(0, ERROR_DATA_BYTES);
  view.send({
    type: 'error',
    xid: request.xid,
    errorType,
    errorCode,
    ...(experimenter === undefined ? {} : { experimenter }),
    data: prefix === undefined ? begin : Uint8Array.of(...prefix, ...begin),
  });
}

/** 1.5 meters by an action, so that a meter that is not there is a bad action (1.5.1 §7.5.4.3); before by an instruction. */
const LAST_WITH_METER_INSTRUCTION = 5;

/** What is wrong with actions, whatever they are part of. */
function actionStatus(status: number, version: number): OfError | undefined {
  switch (status) {
    case Status.unknownGroup:
      return badAction(OFPBAC.BAD_OUT_GROUP);
    case Status.badPort:
      return badAction(OFPBAC.BAD_OUT_PORT);
    case Status.badField:
      return badAction(OFPBAC.BAD_SET_TYPE);
    case Status.badAction:
      return badAction(OFPBAC.BAD_ARGUMENT);
    case Status.unknownMeter:
      return version <= LAST_WITH_METER_INSTRUCTION
        ? meterModFailed(OFPMMFC.UNKNOWN_METER)
        : badAction(of15.OFPBAC.BAD_METER);
    default:
      return undefined;
  }
}

export function flowModError(status: number, version: number): OfError {
  switch (status) {
    case Status.overlap:
      return flowModFailed(OFPFMFC.OVERLAP);
    case Status.tableFull:
    case Status.noMemory:
      return flowModFailed(OFPFMFC.TABLE_FULL);
    case Status.badTable:
      return badInstruction(OFPBIC.BAD_TABLE_ID);
    default:
      return actionStatus(status, version) ?? flowModFailed(OFPFMFC.UNKNOWN);
  }
}

const groupStatus: Readonly<Record<number, number>> = {
  [Status.groupExists]: OFPGMFC.GROUP_EXISTS,
  [Status.groupLoop]: OFPGMFC.LOOP,
  [Status.chainedGroup]: OFPGMFC.CHAINED_GROUP,
  [Status.outOfGroups]: OFPGMFC.OUT_OF_GROUPS,
  [Status.noMemory]: OFPGMFC.OUT_OF_GROUPS,
  [Status.outOfBuckets]: OFPGMFC.OUT_OF_BUCKETS,
  [Status.badWatch]: OFPGMFC.BAD_WATCH,
  [Status.badGroupType]: OFPGMFC.INVALID_GROUP,
  [Status.badWeight]: OFPGMFC.INVALID_GROUP,
  [Status.unknownBucket]: of15.OFPGMFC.UNKNOWN_BUCKET,
  [Status.bucketExists]: of15.OFPGMFC.BUCKET_EXISTS,
  [Status.badBucket]: OFPGMFC.BAD_BUCKET,
};

/** unknownGroup is about a bucket's action unless the caller knows better. */
export function groupModError(status: number, version: number): OfError {
  const code = groupStatus[status];
  if (code !== undefined) return groupModFailed(code);
  return actionStatus(status, version) ?? groupModFailed(OFPGMFC.INVALID_GROUP);
}

const meterStatus: Readonly<Record<number, number>> = {
  [Status.meterExists]: OFPMMFC.METER_EXISTS,
  [Status.unknownMeter]: OFPMMFC.UNKNOWN_METER,
  [Status.outOfMeters]: OFPMMFC.OUT_OF_METERS,
  [Status.noMemory]: OFPMMFC.OUT_OF_METERS,
  [Status.meterFull]: OFPMMFC.OUT_OF_BANDS,
  [Status.badMeter]: OFPMMFC.INVALID_METER,
};

export function meterModError(status: number): OfError {
  return meterModFailed(meterStatus[status] ?? OFPMMFC.UNKNOWN);
}

export function packetOutError(status: number, version: number): OfError {
  return actionStatus(status, version) ?? badRequest(OFPBRC.BAD_PACKET);
}
