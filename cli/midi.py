"""Bindings of pedals for the command line: where the user's file lies, and what `gigmate-live` is given of it.

Main thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.pedal import BindingTable


def user_file() -> Path:
    """Where the user's own bindings lie: beside the measured round trips ($GIGMATE_CONFIG_DIR says another place)."""
    from ..latency.calibration import calibration_file
    from ..presets.bindings import FILE_NAME

    return calibration_file().with_name(FILE_NAME)


def binding_table(pedal: str | None, file: Path | None) -> BindingTable:
    """What gestures mean: by `--pedal`, then by the preset, then by `--bindings` or the user's own file.

    Raises BindingsError for what cannot be, in the user's own file too.
    """
    from ..engine.pedal import BindingTable
    from ..presets.bindings import bindings_of, pedal_row, read_bindings

    asked = [] if pedal is None else [pedal_row(pedal)]
    own = user_file()
    if file is not None:
        return BindingTable(asked=bindings_of([*asked, *read_bindings(file)]))
    return BindingTable(asked=bindings_of(asked), user=bindings_of(read_bindings(own) if own.exists() else ()))
