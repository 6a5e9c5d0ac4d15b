"""Read inputs by name: mock data on your machine, the real tables inside the enclave.

    import cloister
    measurements = cloister.read_csv("hospital/measurements")

The same line works in both places. Outside, ``hospital/measurements`` is the mock file ``mocks/hospital/measurements.csv``
(any extension), looked for in the current folder and then in each folder above it, or below ``CLOISTER_MOCKS`` where that
is set. Inside, it is the table that its owner released to this run.
"""

from ._errors import AssetNotFound, InputsUnreadable
from ._inputs import inputs, is_mock, open, path, read_csv

__all__ = ["AssetNotFound", "InputsUnreadable", "inputs", "is_mock", "open", "path", "read_csv"]
__version__ = "0.1.0"
