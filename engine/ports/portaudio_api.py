"""PortAudio's C interface by ctypes: where the library is, its structures, its errors in words.

Knows no stream and no config. Functions are for control threads; PortAudio itself is not reentrant while it opens.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, ClassVar

from ..config import EngineConfig
from ..errors import ConfigError, EngineError

FLOAT32_BY_CHANNEL = 0x80000001  # paFloat32 | paNonInterleaved
NO_DITHER_NO_CLIP = 0x3
JACK_HOST_API = 12  # paJACK
BINDINGS = ("pyaudio", "sounddevice")


class DeviceInfo(ctypes.Structure):
    """PaDeviceInfo. One thread at a time."""

    _fields_ = (
        ("structVersion", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("hostApi", ctypes.c_int),
        ("maxInputChannels", ctypes.c_int),
        ("maxOutputChannels", ctypes.c_int),
        ("defaultLowInputLatency", ctypes.c_double),
        ("defaultLowOutputLatency", ctypes.c_double),
        ("defaultHighInputLatency", ctypes.c_double),
        ("defaultHighOutputLatency", ctypes.c_double),
        ("defaultSampleRate", ctypes.c_double),
    )


class HostApiInfo(ctypes.Structure):
    """PaHostApiInfo. One thread at a time."""

    _fields_ = (
        ("structVersion", ctypes.c_int),
        ("type", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("deviceCount", ctypes.c_int),
        ("defaultInputDevice", ctypes.c_int),
        ("defaultOutputDevice", ctypes.c_int),
    )


class StreamParameters(ctypes.Structure):
    """PaStreamParameters. One thread at a time."""

    _fields_ = (
        ("device", ctypes.c_int),
        ("channelCount", ctypes.c_int),
        ("sampleFormat", ctypes.c_ulong),
        ("suggestedLatency", ctypes.c_double),
        ("hostApiSpecificStreamInfo", ctypes.c_void_p),
    )


class StreamInfo(ctypes.Structure):
    """PaStreamInfo. One thread at a time."""

    _fields_ = (
        ("structVersion", ctypes.c_int),
        ("inputLatency", ctypes.c_double),
        ("outputLatency", ctypes.c_double),
        ("sampleRate", ctypes.c_double),
    )


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Sound libraries print what they probe in vain. Hide the C side's stderr for a moment (of the whole process)."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class Library:
    """An initialised PortAudio, one per binding and process. Control thread only.

    It is never terminated for good: PortAudio aborts the process when it terminates after a JACK server that it had
    found has died. `load` looks for devices anew where that is safe.
    """

    _loaded: ClassVar[dict[str, Library]] = {}

    def __init__(self, binding: str, path: str) -> None:
        self.binding = binding
        self.open_streams = 0
        self._dll = ctypes.CDLL(path)  # the binding has loaded it: this is the same library
        self.Pa_GetDeviceInfo = self._pointer_to("Pa_GetDeviceInfo", DeviceInfo, ctypes.c_int)
        self.Pa_GetHostApiInfo = self._pointer_to("Pa_GetHostApiInfo", HostApiInfo, ctypes.c_int)
        self.Pa_GetStreamInfo = self._pointer_to("Pa_GetStreamInfo", StreamInfo, ctypes.c_void_p)
        self._dll.Pa_GetErrorText.restype = ctypes.c_char_p
        self._dll.Pa_GetVersionText.restype = ctypes.c_char_p
        self.version = self._dll.Pa_GetVersionText().decode("utf-8", "replace")
        self._initialise()

    def _initialise(self) -> None:
        with quiet_stderr():
            code = self.call("Pa_Initialize")
        if code:
            raise EngineError(f"PortAudio would not start: {self.text(code)}")

    def _pointer_to(self, name: str, structure: type[ctypes.Structure], argument: Any) -> Any:
        function = getattr(self._dll, name)
        function.argtypes = [argument]
        function.restype = ctypes.POINTER(structure)
        return function

    def call(self, name: str, *arguments: Any) -> int:
        """Call a function that returns a PaError or an index."""
        return int(getattr(self._dll, name)(*arguments))

    def text(self, code: int) -> str:
        return str(self._dll.Pa_GetErrorText(code).decode("utf-8", "replace"))

    def _look_again(self) -> None:
        """PortAudio lists devices once; start it anew to see those that came since."""
        if self.open_streams:
            return
        if self.call("Pa_HostApiTypeIdToHostApiIndex", JACK_HOST_API) >= 0:
            from . import jack

            if jack.unavailable_reason(EngineConfig(client_name="gigmate-look")) is not None:
                return  # the server that it knows has died: terminating would abort
        with quiet_stderr():
            self.call("Pa_Terminate")
        self._initialise()

    def another(self) -> Library:
        """A second copy of this library with a memory of its own; the one that it replaces is left as it is.

        Raises EngineError where the system does not say where the library lies.
        """
        path = _file_of(self._dll)
        if path is None:
            raise EngineError("PortAudio cannot be restarted here: start again")
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copy(path, folder)
            library = Library(self.binding, str(copy))  # loaded it needs its file no longer
        Library._loaded[self.binding] = library
        return library

    @classmethod
    def load(cls, binding: str | None) -> Library:
        """The library that this binding has loaded. Raises EngineError without one, ConfigError for an unknown name."""
        asked = binding or os.environ.get("GIGMATE_PORTAUDIO") or None
        if asked is not None and asked not in BINDINGS:
            raise ConfigError(f'PortAudio is used through pyaudio or sounddevice, not "{asked}"')
        reasons = []
        for name in BINDINGS if asked is None else (asked,):
            if name in cls._loaded:
                cls._loaded[name]._look_again()
                return cls._loaded[name]
            try:
                cls._loaded[name] = cls(name, _path(name))
                _take_over(name)
                return cls._loaded[name]
            except (ImportError, OSError, AttributeError) as error:
                reasons.append(f"{name}: {error}")
        raise EngineError(
            f"PortAudio is not available ({'; '.join(reasons)}): apt install libportaudio2 and pip install sounddevice"
        )


class _SymbolInfo(ctypes.Structure):
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _file_of(dll: ctypes.CDLL) -> str | None:
    """Where the library that answers to Pa_Initialize lies (a binding may only link to it); None if nobody says."""
    find = getattr(ctypes.CDLL(None), "dladdr", None) if os.name == "posix" else None
    info = _SymbolInfo()
    if find is None or not find(ctypes.cast(dll.Pa_Initialize, ctypes.c_void_p), ctypes.byref(info)):
        return None
    return os.path.realpath(os.fsdecode(info.file))


def _path(binding: str) -> str:
    with quiet_stderr():
        module = importlib.import_module(binding)
    if binding == "pyaudio":
        return str(module._portaudio.__file__)  # its symbols, or those of what it links, show through
    return str(module._libname)


def _take_over(binding: str) -> None:
    """sounddevice holds PortAudio open and terminates it at exit; from here on that is ours alone to decide."""
    if binding != "sounddevice":
        return
    module = importlib.import_module(binding)
    if hasattr(module, "_exit_handler"):
        atexit.unregister(module._exit_handler)
    if getattr(module, "_initialized", 0) and hasattr(module, "_terminate"):
        module._terminate()
