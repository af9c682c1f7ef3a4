/** Flow files → flows. Pure: knows no files, no switches and no clock. */

export { withLegalMask } from './builder.js';
export { type CompileOptions, compile, compileDocuments, type ReadDocument, readSteps } from './compile.js';
export { type Diagnostic, Diagnostics } from './diagnostic.js';
export { type DocumentText, documentsOf, type ReadText, sourceOf, textSteps } from './documents.js';
export { keyOf } from './flow-key.js';
export { groupsIn, groupsUsedBy, usedFirst } from './group-order.js';
export { type ImportFormat, importChains, importFormats } from './import/index.js';
export { LatePorts, type Settled, settle } from './late-ports.js';
export { lint } from './lint/index.js';
export { LocalAgent, toLocalAgent } from './local-agent.js';
export { type OfctlForm, ofctlForms, ofctlText } from './ofctl-text.js';
export { COOKIE_MAGIC, isOurs, ownerOf } from './owner.js';
export { portOption, readPortFile } from './port-file.js';
export { type KnownPort, PlaceholderPorts, PortList, type PortResolver, portLabel, wordsOf } from './ports.js';
export type {
  Origin,
  Program,
  ProgramChain,
  ProgramCheck,
  ProgramFlow,
  ProgramGroup,
  ProgramHop,
  ProgramInstance,
} from './program.js';
export { type ReportFormat, report, reportFormats } from './report/index.js';
export {
  type Address,
  addressText,
  contains,
  type Family,
  isLinkLocal,
  lastOf,
  networkOf,
  type Prefix,
} from './router/prefix.js';
export { type ProgramRouter, type RouterRoute, type RouterSubnet, routerTable, SlowPath } from './router/slow-path.js';
export { ABOUT_REGISTER, about, enter, leaveBy, setHop } from './router/words.js';
export { SourceFile } from './source.js';
