/** Flow files → flows. Pure: knows no files, no switches and no clock. */
export { withLegalMask } from './builder.js';
export { type CompileOptions, compile } from './compile.js';
export { Diagnostics } from './diagnostic.js';
export { type DocumentText, documentsOf, sourceOf } from './documents.js';
export { type ImportFormat, importChains, importFormats } from './import/index.js';
export { LatePorts, type Settled, settle } from './late-ports.js';
export { lint } from './lint/index.js';
export { type OfctlForm, ofctlForms, ofctlText } from './ofctl-text.js';
export { COOKIE_MAGIC, isOurs, ownerOf } from './owner.js';
export { portOption, readPortFile } from './port-file.js';
export { type KnownPort, PlaceholderPorts, PortList, type PortResolver } from './ports.js';
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
export { SourceFile } from './source.js';
