export type { SandboxForm } from './bubblewrap.js';
export type { Outcome } from './outcome.js';
export { PROBES, probeSandbox, requireBlocked, type Probe, type ProbeResult, type ProbeTargets } from './probe.js';
export { runNotebook, type NotebookResult, type Progress, type RunOptions } from './run-notebook.js';
export { findSandbox } from './sandbox-form.js';
export type { NotebookInput } from './stage.js';
