/**
 * Ids of the commands. Plugins reach each other only through these and the tokens, so that each can be disabled alone.
 * Arguments are JSON: `job` is a job's digest, `path` a path of JupyterLab's file browser.
 */
export const CommandIDs = {
  /** Opens the Submit panel for the notebook `path`, else for the open or selected one; asks to save it first. */
  submit: 'cloister:submit',
  /** Reveals the job sidebar, and `job` in it. */
  showJobs: 'cloister:show-jobs',
  cancelJob: 'cloister:cancel-job',
  /** Asks first. */
  deleteJob: 'cloister:delete-job',
  retryJob: 'cloister:retry-job',
  openNotebook: 'cloister:open-notebook',
  /** Verifies the report, unseals the outputs into `results/…`, and opens the executed notebook. */
  openOutputs: 'cloister:open-outputs',
  /** Opens the report of `job`, or the report file `path`, in the viewer. */
  openReport: 'cloister:open-report'
} as const;
