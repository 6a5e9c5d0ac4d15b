export type { SandboxForm } from './bubblewrap.js';
export { describeInterpreter, requireApart } from './interpreter.js';
export type { Outcome } from './outcome.js';
export { PROBES, probeSandbox, requireBlocked, type Probe, type ProbeResult, type ProbeTargets } from './probe.js';
export { runNotebook, runNotebookWith, type NotebookResult, type Progress, type RunOptions } from './run-notebook.js';
export { findSandbox } from './sandbox-form.js';
export { createSandboxList } from './sandbox-list.js';
export type { NotebookInput } from './stage.js';
