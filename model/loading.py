"""Loads a band under the runtime that is asked for, or the fastest that there is. Imports torch only where it is used.

native: the step in C (native/), built once by the machine's C compiler; three times as fast, and without torch.
torchscript: the compiled modules of runtime.py, wherever torch runs. eager: the modules themselves, the reference.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

from . import weights_file
from .band_stream import LoadedBand
from .generator.score_tokens import SLOTS
from .harmony.harmonist import HarmonyNetwork
from .native.compiler import CompilerError
from .weights_file import SHIPPED, CheckpointError

RUNTIMES = ("native", "torchscript", "eager")
RUNTIME_VARIABLE = "GIGMATE_RUNTIME"
"""An environment variable that names a runtime for all that is loaded without one."""


def weights_id(folder: Path) -> str:
    """A short fingerprint of the weights in `folder`; raises CheckpointError if one is missing."""
    digest = hashlib.sha256()
    for kind in weights_file.KINDS:
        path = folder / f"{kind}.safetensors"
        weights_file.read_header(path)
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load_harmony(folder: Path) -> HarmonyNetwork:
    """What reads chords and keys in `folder`; raises CheckpointError."""
    path = folder / "harmony.safetensors"
    header = weights_file.read_header(path)
    if header["kind"] != "harmony":
        raise CheckpointError(f"{path}: contains a {header['kind']}, not a harmony: give the file of the harmony")
    try:
        network = HarmonyNetwork(weights_file.harmony_config(header["config"]), weights_file.read_arrays(path))
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: {error} does not fit this version: update GigMate") from error
    return network


def load_band(
    folder: Path | None = None, int8: bool = True, compiled: bool = True, runtime: str | None = None
) -> LoadedBand:
    """The band of `folder` (None: the shipped weights). `runtime` None: as the environment says, else the fastest.

    Not `compiled`: eager. Not `int8`: TorchScript, with float32 weights. Raises CheckpointError for weights that cannot
    be used; CompilerError where `native` is asked for by name and cannot be built, and for another name.
    """
    folder = folder or SHIPPED
    asked = runtime or os.environ.get(RUNTIME_VARIABLE) or None
    if asked is not None and asked not in RUNTIMES:
        raise CompilerError(f"{RUNTIME_VARIABLE}: there is no runtime {asked!r}: give one of {', '.join(RUNTIMES)}")
    fingerprint = weights_id(folder)
    name = asked or "native" if compiled and int8 else "torchscript" if compiled else "eager"
    made: Any = None
    if name == "native":
        try:
            made = _native(folder)
        except CompilerError as error:
            if asked is not None:
                raise
            warnings.warn(f"{error}: TorchScript plays instead, at a third of the speed", stacklevel=2)
            name = "torchscript"
    if made is None:
        from .runtime import load_program, torch_streams

        program = load_program(folder, fingerprint, int8, name == "torchscript")
        made = torch_streams(program)
    return _described(folder, fingerprint, made, name)


def _native(folder: Path) -> Any:
    from .native.stream import NativeBand, UnknownShape

    try:
        return NativeBand(folder).new_stream
    except UnknownShape:
        # the modules say more exactly what is wrong with weights; those that they take are none for the step in C
        from .runtime import load_eager

        load_eager(folder)
        raise CompilerError("the step in C does not know weights of this shape") from None


def _described(folder: Path, fingerprint: str, new_stream: Any, runtime: str) -> LoadedBand:
    shape = weights_file.read_header(folder / "generator.safetensors")["config"]
    codec = weights_file.codec_config(weights_file.read_header(folder / "codec.safetensors")["config"])
    listener = weights_file.listener_config(weights_file.read_header(folder / "listener.safetensors")["config"])
    return LoadedBand(
        new_stream,
        runtime,
        runtime == "native",
        tuple(shape["styles"]),
        tuple(shape["parts"]),
        shape["heard_size"],
        SLOTS + shape["codebooks"],
        codec.frame_samples,
        codec.sample_rate_hz,
        codec.decode_delay_samples,
        listener.layout(),
        load_harmony(folder),
        fingerprint,
    )
