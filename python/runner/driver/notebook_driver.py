"""Runs the code cells of one notebook against a kernel that lives in another sandbox.

Takes the notebook and the kernel's connection file, writes one result file, and tells the runner
how far it is by short JSON lines on standard output: counts only, never content. The runner speaks
on standard input: `kernel-ended` and `stop`. The runner believes nothing here but the outputs.
"""

import asyncio
import json
import os
import sys
import traceback
from queue import Empty

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import ValidationError, from_dict
from nbformat.v4 import new_output

# Outputs beyond these are left out, with a note in their place: a cell that prints for ever must
# not take the driver's memory. The runner has higher caps of its own, in bytes of the result file.
MAX_OUTPUT_BYTES = 48 * 1024 * 1024
# What a list or a dict of its own takes when it is parsed again, however short its text.
CONTAINER_BYTES = 32
SCALAR_BYTES = 8
MAX_OUTPUTS = 20_000
LARGEST_COUNT = 2**53 - 1
MAX_TRACEBACK_CHARACTERS = 64 * 1024
# Messages that a kernel sent just before it died may still be on their way through its socket.
DRAIN_SECONDS = 0.3
SHUTDOWN_REPLY_SECONDS = 1

FAILURE_BY_ERROR = {
    "InstallRefused": "install",
    "StdinNotImplementedError": "input",
    "SystemExit": "exited",
}


class KernelLeft(Exception):
    """A cell asked the kernel to end: exit() or quit()."""


class AttachedKernel(AsyncKernelManager):
    """A kernel that the runner started, and alone can end: this side only talks to it."""

    ended = False

    @property
    def has_kernel(self):
        return True

    async def _async_is_alive(self):
        return not self.ended

    is_alive = _async_is_alive

    async def _nothing(self, *_args, **_kwargs):
        return None

    shutdown_kernel = interrupt_kernel = cleanup_resources = _nothing


class Client(NotebookClient):
    """nbclient with an upper bound on what it keeps, and counts for the runner."""

    def __init__(self, notebook, kernel, report):
        super().__init__(notebook, km=kernel, timeout=None, record_timing=False)
        self._report = report
        self._kept = {}
        self._number = {}
        self._said = set()
        self.done = 0
        self.on_cell_execute = lambda **_: report(state="running", done=self.done)
        self.on_cell_executed = self._count

    async def async_start_new_kernel_client(self):
        """As nbclient, but without its fixed wait of a fifth of a second for left-over messages."""
        self._report(state="connecting")
        self.kc = self.km.client()
        self.kc.start_channels(stdin=False, hb=False)
        while not await answers(self.kc):
            if self.km.ended:
                raise RuntimeError("the kernel ended before it answered")
        self.kc.allow_stdin = False
        self._report(state="ready")
        return self.kc

    def _count(self, cell, execute_reply, **_):
        content = execute_reply["content"]
        if any(part.get("source") == "ask_exit" for part in content.get("payload") or []):
            raise KernelLeft()
        if content["status"] == "ok" or "raises-exception" in cell.metadata.get("tags", []):
            self.done += 1
            self._report(state="running", done=self.done)

    def output(self, outs, msg, display_id, cell_index):
        # Nothing of a cell comes after what was left out: nobody would see where the gap is.
        if cell_index in self._said:
            return None
        size = weight(msg["content"])
        if sum(self._kept.values()) + size <= MAX_OUTPUT_BYTES and sum(self._number.values()) < MAX_OUTPUTS:
            self._kept[cell_index] = self._kept.get(cell_index, 0) + size
            self._number[cell_index] = self._number.get(cell_index, 0) + 1
            try:
                return super().output(outs, msg, display_id, cell_index)
            except ValidationError:
                outs.append(note("an output was left out: it is not of a known type"))
                return None
        self._said.add(cell_index)
        outs.append(note("further output was left out: too much"))
        return None

    def _update_display_id(self, display_id, msg):
        # What is shown in many places takes its room in each; `within` counts that at the end.
        if weight(msg["content"]) <= MAX_OUTPUT_BYTES:
            super()._update_display_id(display_id, msg)

    def clear_output(self, outs, msg, cell_index):
        super().clear_output(outs, msg, cell_index)
        self._kept[cell_index] = self._number[cell_index] = 0
        self._said.discard(cell_index)


async def answers(channels):
    """Whether the kernel replies, and what it publishes reaches us: before that, outputs could be lost."""
    channels.kernel_info()
    try:
        reply = await channels.shell_channel.get_msg(timeout=1)
        await channels.iopub_channel.get_msg(timeout=1)
        return reply["header"]["msg_type"] == "kernel_info_reply"
    except Empty:
        return False


def note(text):
    return new_output("stream", name="stderr", text=f"[Cloister: {text}]\n")


def weight(value):
    """About how many bytes a value takes as JSON, and parsed; endless where it is nested too deep to be looked at."""
    try:
        return weigh(value)
    except RecursionError:
        return float("inf")


def weigh(value):
    if isinstance(value, str):
        return max(SCALAR_BYTES, len(value) if len(value) > MAX_OUTPUT_BYTES else len(as_json(value)))
    if isinstance(value, dict):
        return CONTAINER_BYTES + sum(weigh(key) + weigh(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return CONTAINER_BYTES + sum(weigh(item) for item in value)
    return max(SCALAR_BYTES, len(repr(value)))


def as_json(value):
    """UTF-8 with as few escapes as JSON allows. Lone surrogates and NaN, which a kernel may send, are no valid text."""
    text = json.dumps(finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", errors="replace")


def reporter(stream):
    def report(**fact):
        stream.write(json.dumps(fact, separators=(",", ":")) + "\n")
        stream.flush()

    return report


async def obey(kernel, client):
    """Follows the runner's word. When the runner is gone, so is the reason to go on."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line not in (b"kernel-ended\n", b"stop\n"):
            break
        kernel.ended = True
        await asyncio.sleep(DRAIN_SECONDS)
        waiting = getattr(client, "task_poll_for_reply", None)
        if waiting is not None:
            waiting.cancel()
    os._exit(1)


async def run(client, kernel):
    """The failure of the run as the result file states it; None where every cell ran."""
    try:
        await client.async_execute()
        return None
    except CellExecutionError as error:
        kind = FAILURE_BY_ERROR.get(error.ename, "raised")
        return {"kind": kind, "traceback": error.traceback[-MAX_TRACEBACK_CHARACTERS:]}
    except KernelLeft:
        return {"kind": "exited"}
    except Exception:
        if kernel.ended:
            return {"kind": "died"}
        return {"kind": "broken", "traceback": traceback.format_exc()[-MAX_TRACEBACK_CHARACTERS:]}


def result_of(notebook, failure, done):
    room = MAX_OUTPUT_BYTES
    cells = []
    for index, cell in enumerate(notebook.cells):
        outputs, room = within(room, cell.get("outputs", []))
        cells.append({"index": index, "executionCount": count_of(cell), "outputs": outputs})
    return {"v": 1, "done": done, "cells": cells, **({"failure": failure} if failure else {})}


def within(room, outputs):
    """As many of the outputs as there is room for, and the room that is left."""
    kept = []
    for output in outputs:
        size = weight(output)
        if size > room:
            return [*kept, note("further output was left out: too much")], room
        kept.append(output)
        room -= size
    return kept, room


def count_of(cell):
    count = cell.get("execution_count")
    return count if type(count) is int and 0 <= count <= LARGEST_COUNT else None


def write_result(path, result):
    with open(path + ".part", "wb") as file:
        file.write(as_json(result))
    os.rename(path + ".part", path)


def finite(value):
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


async def leave(client):
    """Asks the kernel to end by itself, so that it closes its files as under any other front end."""
    try:
        client.kc.shutdown()
        await client.kc.control_channel.get_msg(timeout=SHUTDOWN_REPLY_SECONDS)
    except Exception:
        # The runner ends a kernel that does not answer.
        return


async def main(notebook_path, connection_path, result_path):
    # What libraries print must not mix with the lines for the runner.
    report = reporter(os.fdopen(os.dup(1), "w", encoding="ascii"))
    os.dup2(2, 1)
    with open(notebook_path, encoding="utf-8") as file:
        notebook = from_dict(json.load(file))
    kernel = AttachedKernel()
    kernel.load_connection_file(connection_path)
    client = Client(notebook, kernel, report)
    obeying = asyncio.ensure_future(obey(kernel, client))
    failure = await run(client, kernel)
    obeying.cancel()
    write_result(result_path, result_of(notebook, failure, client.done))
    report(state="ended")
    if client.kc is not None and not kernel.ended:
        await leave(client)
    # Nothing is left to save, and closing the sockets in order takes a tenth of a second.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
