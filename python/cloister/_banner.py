"""The banner that says, once a kernel, that the numbers to come are made up."""

import html
import multiprocessing
import os
import shlex
import sys

_TITLE = "MOCK DATA \N{EN DASH} these results mean nothing"
_BODY = "This notebook reads made-up stand-ins for the owners' tables. They have the right columns and the wrong values."
_NEXT = "To run the same notebook on the real data, inside the enclave:"

# Own foreground and background, black on amber: as readable in a dark theme as in a light one.
_BOX = (
    "background:#ffb000;color:#1a1a1a;border:3px solid #1a1a1a;border-left-width:14px;border-radius:4px;"
    "padding:12px 16px;margin:4px 0 8px 0;font-family:system-ui,sans-serif;font-size:14px;line-height:1.5"
)
_CODE = "background:#1a1a1a;color:#ffd27a;padding:2px 8px;border-radius:3px;font-family:monospace"

_shown = False


def warn_of_mock_data() -> None:
    """Show the banner, the first time in this kernel; worker processes of a kernel stay quiet."""
    global _shown
    if _shown or multiprocessing.parent_process() is not None:
        return
    _shown = True
    if not _display_in_kernel():
        print(banner_text(), file=sys.stderr, flush=True)


def banner_text() -> str:
    """The banner as plain text."""
    rule = "=" * 78
    return f"{rule}\n  {_TITLE.upper()}\n\n  {_BODY}\n  {_NEXT}\n      {_command()}\n{rule}"


def banner_html() -> str:
    """The banner as HTML that needs no style sheet."""
    return (
        f'<div role="note" aria-label="Mock data" style="{_BOX}">'
        f'<div style="font-size:20px;font-weight:700;color:#1a1a1a">&#9888; {html.escape(_TITLE)}</div>'
        f'<div style="color:#1a1a1a">{html.escape(_BODY)}</div>'
        f'<div style="color:#1a1a1a">{html.escape(_NEXT)} <code style="{_CODE}">{html.escape(_command())}</code></div>'
        "</div>"
    )


def _command() -> str:
    # Jupyter Server tells the kernel which notebook it serves; without it we cannot know.
    notebook = os.path.basename(os.environ.get("JPY_SESSION_NAME", ""))
    return f"cloister submit {shlex.quote(notebook) if notebook.endswith('.ipynb') else 'NOTEBOOK.ipynb'} --wait"


def _display_in_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return False
    from IPython.display import display

    display({"text/html": banner_html(), "text/plain": banner_text()}, raw=True)
    return True
