import type { TranslationBundle } from '@jupyterlab/translation';
import type { EndWords } from './job-end';

/** What the notebook did; the executed notebook and the traceback are among the outputs. */
export function notebookEnds(trans: TranslationBundle): EndWords {
  return {
    cell_failed: {
      happened: trans.__('A cell raised an error.'),
      next: trans.__('Open the outputs: the traceback is among them. Mend the notebook, run it on the mocks, and submit it again.')
    },
    kernel_exited: { happened: trans.__('A cell ended the kernel.'), next: trans.__('Take exit(), quit() or os._exit() out of the notebook, and submit it again.') },
    kernel_killed: {
      happened: trans.__('The kernel was killed, most often because memory ran out.'),
      next: trans.__('Use less memory: read fewer columns, or work in pieces. Then submit the notebook again.')
    },
    kernel_unavailable: {
      happened: trans.__('The runner does not have the notebook’s kernel.'),
      next: trans.__('Choose a Python 3 kernel, save the notebook, and submit it again.')
    },
    kernel_misbehaved: {
      happened: trans.__('The kernel did not behave as one, so the run gave no result that holds.'),
      next: trans.__('Take out what interferes with the kernel or its messages, and submit the notebook again.')
    },
    input_requested: { happened: trans.__('A cell asked for keyboard input, and nobody is there.'), next: trans.__('Take input() and getpass() out of the notebook, and submit it again.') },
    install_refused: {
      happened: trans.__('A cell tried to install packages; there is no network inside.'),
      next: trans.__('Use the packages that the runner has, and submit the notebook again.')
    },
    deadline_exceeded: { happened: trans.__('The notebook ran longer than its time limit.'), next: trans.__('Submit it again with a longer limit, or let it do less.') },
    output_refused: {
      happened: trans.__('An output is not a plain file, so none of the files was taken out.'),
      next: trans.__('Write plain files below outputs/, no links or pipes. Then submit the notebook again.')
    },
    output_too_large: {
      happened: trans.__('The outputs are larger than an owner allows, so they stayed inside.'),
      next: trans.__('Write less, or ask the owner to allow more. Then submit the notebook again.')
    }
  };
}

/** What was sent, or when; sending it anew mends it. */
export function submissionEnds(trans: TranslationBundle): EndWords {
  const submitAnew = trans.__('Open the notebook, save it, and press Submit to TEE again.');
  return {
    cancelled: { happened: trans.__('The job was cancelled.'), next: trans.__('If you want its result after all, retry it. If not, there is nothing to do.') },
    manifest_expired: { happened: trans.__('The job waited until it was no longer valid; nothing ran.'), next: submitAnew },
    manifest_early: { happened: trans.__('The job’s id was made in the future: your clock goes ahead.'), next: trans.__('Set the clock of this machine. Then retry the job.') },
    attempts_exhausted: {
      happened: trans.__('All attempts that you or an owner allow for one job were used.'),
      next: trans.__('Submit the notebook again: that is a new job.')
    },
    code_not_bound: { happened: trans.__('A broker found that the key of your code was not wrapped for this job.'), next: submitAnew },
    wrong_signer: { happened: trans.__('Something in the job is signed by another key than an owner expects.'), next: submitAnew },
    bundle_invalid: { happened: trans.__('What was sent is not well formed, so it was not run.'), next: submitAnew },
    bundle_too_large: { happened: trans.__('What was sent is too large to be run.'), next: trans.__('List large files in .cloisterignore, and submit the notebook again.') },
    notebook_missing: { happened: trans.__('The notebook was not in what was sent.'), next: submitAnew },
    notebook_not_json: { happened: trans.__('The notebook that was sent is not JSON.'), next: submitAnew },
    notebook_unsupported: { happened: trans.__('The notebook that was sent is not in nbformat 4.'), next: submitAnew },
    notebook_not_canonical: { happened: trans.__('The notebook was sent with outputs or metadata, which no owner approves.'), next: submitAnew },
    obligation_unknown: {
      happened: trans.__('An owner demands something that this runner cannot do, so nothing was opened.'),
      next: trans.__('Choose a newer runner image, and submit the notebook again.')
    }
  };
}
