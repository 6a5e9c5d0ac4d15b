"""What can go wrong when an input is asked for."""


class AssetNotFound(FileNotFoundError):
    """No input of this name is here. The message lists what is, and says what to do."""


class InputsUnreadable(RuntimeError):
    """The enclave's list of inputs is missing or malformed: the fault of the runner, not of the notebook."""
