"""FluidSynth as the system has it, by ctypes: what of it is used here, and one line where it is missing.

Its licence is the LGPL: it is loaded when it runs, never part of the package. Calls that take no time hold the
interpreter's lock, because giving it away costs more than they do; loading a bank gives it away. Any thread may load
the library; a synth belongs to one thread at a time.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from ctypes import POINTER, c_char_p, c_double, c_int, c_void_p
from dataclasses import dataclass
from functools import lru_cache

NAMES = ("libfluidsynth.so.3", "libfluidsynth.3.dylib", "libfluidsynth-3.dll")
_LOG_LEVELS = 5
_INTS, _DOUBLE = [c_void_p, c_int, c_int, c_int], [c_void_p, c_char_p, c_double]
_QUICK: dict[str, tuple[object, list[object]]] = {
    "fluid_synth_noteon": (c_int, [c_void_p, c_int, c_int, c_int]),
    "fluid_synth_noteoff": (c_int, [c_void_p, c_int, c_int]),
    "fluid_synth_all_sounds_off": (c_int, [c_void_p, c_int]),
    "fluid_synth_set_gen": (c_int, [c_void_p, c_int, c_int, ctypes.c_float]),
    "fluid_synth_get_active_voice_count": (c_int, [c_void_p]),
    "fluid_synth_process": (
        c_int,
        [c_void_p, c_int, c_int, c_void_p, c_int, POINTER(c_void_p)],
    ),
}
_SLOW: dict[str, tuple[object, list[object]]] = {
    "fluid_version_str": (c_char_p, []),
    "fluid_set_log_function": (c_void_p, [c_int, c_void_p, c_void_p]),
    "new_fluid_settings": (c_void_p, []),
    "fluid_settings_setint": (c_int, [c_void_p, c_char_p, c_int]),
    "fluid_settings_setnum": (c_int, [c_void_p, c_char_p, c_double]),
    "delete_fluid_settings": (None, [c_void_p]),
    "new_fluid_synth": (c_void_p, [c_void_p]),
    "delete_fluid_synth": (None, [c_void_p]),
    "fluid_synth_sfload": (c_int, [c_void_p, c_char_p, c_int]),
    "fluid_synth_program_select": (c_int, [c_void_p, c_int, c_int, c_int, c_int]),
}


class InstrumentError(RuntimeError):
    """No instrument where one is wanted; the message is one line that says what to do."""


@dataclass(frozen=True)
class FluidLibrary:
    """The library: `quick` for calls within a frame, `slow` for loading."""

    quick: ctypes.PyDLL
    slow: ctypes.CDLL
    version: str


@lru_cache(maxsize=1)
def fluid_library() -> FluidLibrary:
    """The library, found once. Raises InstrumentError where the system has none, or one of another age."""
    name = _name()
    try:
        quick, slow = ctypes.PyDLL(name), ctypes.CDLL(name)
        for library, functions in ((quick, _QUICK), (slow, _SLOW)):
            for function, (result, arguments) in functions.items():
                symbol = getattr(library, function)
                symbol.restype, symbol.argtypes = result, arguments
    except (OSError, AttributeError):
        raise InstrumentError(f"instruments need FluidSynth 2: {install_line()}") from None
    for level in range(_LOG_LEVELS):  # what it would print goes by return values
        slow.fluid_set_log_function(level, None, None)
    version = slow.fluid_version_str()
    return FluidLibrary(quick, slow, version.decode("ascii", "replace") if version else "")


def _name() -> str:
    for name in NAMES:
        try:
            ctypes.CDLL(name)
            return name
        except OSError:
            continue
    found = ctypes.util.find_library("fluidsynth")
    if found is None:
        raise InstrumentError(f"instruments need FluidSynth: {install_line()}")
    return found


def install_line() -> str:
    """How this system comes by the library."""
    if sys.platform == "darwin":
        return "`brew install fluid-synth`"
    if sys.platform == "win32":
        return "put libfluidsynth-3.dll of fluidsynth.org into a folder of PATH"
    return "`sudo apt install libfluidsynth3`"
