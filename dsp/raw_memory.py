"""Raw memory for compiled code: typed loads and stores, atomics, calls by address, no denormals, cached compiler.

Knows nothing of sound. Everything here is for numba-compiled functions that run without the interpreter lock; the
Python face is `cached_cfunc`, `aligned_words` and `touched_floats`, callable from any thread.

Addresses are plain int64. Indices are in elements of the named type. Nothing checks bounds: the caller owns that.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm_binding
import numba
import numpy as np
import platformdirs
from llvmlite import ir
from numba import cfunc, njit, types
from numba.core import ccallback, cgutils, dispatcher
from numba.core import config as numba_config
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys
from numba.extending import intrinsic as numba_intrinsic
from numpy.typing import NDArray

if hasattr(llvm_binding, "initialize_native_asmparser"):
    llvm_binding.initialize_native_asmparser()  # inline assembly is parsed at compile time

intrinsic: Any = numba_intrinsic  # what it makes of a function has another signature than the function
config: Any = numba_config
_CACHE_USERS: tuple[Any, ...] = (ccallback, dispatcher)

_I8 = ir.IntType(8)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_F32 = ir.FloatType()
_F64 = ir.DoubleType()

realtime = njit(forceinline=True, error_model="numpy", nogil=True)
"""The mark of a function that may run in the audio callback, and its compiler.

It may call functions with this mark, the loads, stores and atomics of this file, and nothing else: a test reads that
from the source. Inlined, so that no error status (whose handling takes the lock) survives.
"""
realtime_fastmath = njit(forceinline=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract", "nsz"})
"""The same mark, for a sum whose terms may be added in any order."""


def realtime_entry(callback: Any) -> Any:
    """The mark of a compiled C callback whose address a sound system gets; nothing at run time. The rule of `realtime`
    holds for it, and no address of an unmarked one may be handed out.
    """
    return callback


# --------------------------------------------------------------------------------------------- loads and stores


def _element(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [index])


def _loader(llvm_type: Any, numba_type: Any, ordering: str | None = None) -> Any:
    @intrinsic
    def load(typing_context, address, index):  # type: ignore[no-untyped-def]
        def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
            pointer = _element(builder, args[0], args[1], llvm_type)
            if ordering is None:
                return builder.load(pointer)
            return builder.load_atomic(pointer, ordering, 8)

        return numba_type(types.int64, types.int64), emit

    return load


def _storer(llvm_type: Any, numba_type: Any, ordering: str | None = None) -> Any:
    @intrinsic
    def store(typing_context, address, index, value):  # type: ignore[no-untyped-def]
        def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
            pointer = _element(builder, args[0], args[1], llvm_type)
            if ordering is None:
                builder.store(args[2], pointer)
            else:
                builder.store_atomic(args[2], pointer, ordering, 8)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, numba_type), emit

    return store


load_u8 = _loader(_I8, types.uint8)
load_i32 = _loader(_I32, types.int32)
store_i32 = _storer(_I32, types.int32)
load_u32 = _loader(_I32, types.uint32)
load_f32 = _loader(_F32, types.float32)
store_f32 = _storer(_F32, types.float32)
load_i64 = _loader(_I64, types.int64)
store_i64 = _storer(_I64, types.int64)
load_f64 = _loader(_F64, types.float64)
store_f64 = _storer(_F64, types.float64)
load_acquire = _loader(_I64, types.int64, "acquire")
store_release = _storer(_I64, types.int64, "release")
load_relaxed = _loader(_I64, types.int64, "monotonic")
store_relaxed = _storer(_I64, types.int64, "monotonic")


def _read_modify_write(operation: str) -> Any:
    @intrinsic
    def rmw(typing_context, address, index, value):  # type: ignore[no-untyped-def]
        def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
            pointer = _element(builder, args[0], args[1], _I64)
            return builder.atomic_rmw(operation, pointer, args[2], "acq_rel")

        return types.int64(types.int64, types.int64, types.int64), emit

    return rmw


atomic_max = _read_modify_write("max")
atomic_swap = _read_modify_write("xchg")


@intrinsic
def copy_bytes(typing_context, destination, source, count):  # type: ignore[no-untyped-def]
    """memcpy: `count` bytes between addresses that do not overlap."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        cgutils.raw_memcpy(
            builder,
            builder.inttoptr(args[0], _I8.as_pointer()),
            builder.inttoptr(args[1], _I8.as_pointer()),
            args[2],
            1,
        )
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


@intrinsic
def bits_of_f64(typing_context, value):  # type: ignore[no-untyped-def]
    """The bit pattern of a float64; for values >= 0 it orders like the value itself."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.bitcast(args[0], _I64)

    return types.int64(types.float64), emit


def caller(returns: Any, *arguments: Any) -> Any:
    """An intrinsic `call(function_address, *arguments)` of that C signature (numba types).

    The address comes from memory at run time and is never compiled in, so that compiled code can be cached on disk.
    """
    kinds = {types.int64: _I64, types.uint32: _I32, types.int32: _I32}
    function_type = ir.FunctionType(kinds[returns], [kinds[kind] for kind in arguments])
    signature_of = returns(types.int64, *arguments)

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        function = builder.inttoptr(args[0], function_type.as_pointer())
        return builder.call(function, args[1:])

    if len(arguments) == 1:

        @intrinsic
        def call_one(typing_context, function, a):  # type: ignore[no-untyped-def]
            return signature_of, emit

        return call_one
    if len(arguments) == 2:

        @intrinsic
        def call_two(typing_context, function, a, b):  # type: ignore[no-untyped-def]
            return signature_of, emit

        return call_two

    if len(arguments) == 3:

        @intrinsic
        def call_three(typing_context, function, a, b, c):  # type: ignore[no-untyped-def]
            return signature_of, emit

        return call_three

    @intrinsic
    def call_four(typing_context, function, a, b, c, d):  # type: ignore[no-untyped-def]
        return signature_of, emit

    return call_four


# ------------------------------------------------------------------------------------------------- denormals

_MACHINE = platform.machine().lower()
_IS_X86 = _MACHINE in ("x86_64", "amd64")
_IS_ARM64 = _MACHINE in ("aarch64", "arm64")
_X86_FLUSH = 0x8040  # MXCSR: FTZ (bit 15) and DAZ (bit 6)
_ARM_FLUSH = 1 << 24  # FPCR: FZ


@intrinsic
def read_float_mode(typing_context, scratch):  # type: ignore[no-untyped-def]
    """The thread's floating-point control word; `scratch` is the address of 8 bytes that may be overwritten."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        if _IS_X86:
            void = ir.FunctionType(ir.VoidType(), [_I64])
            builder.asm(void, "stmxcsr ($0)", "r,~{memory}", [args[0]], True)
            word = builder.load(builder.inttoptr(args[0], _I32.as_pointer()))
            return builder.zext(word, _I64)
        if _IS_ARM64:
            return builder.asm(ir.FunctionType(_I64, []), "mrs $0, fpcr", "=r", [], True)
        return ir.Constant(_I64, 0)

    return types.int64(types.int64), emit


@intrinsic
def write_float_mode(typing_context, scratch, word):  # type: ignore[no-untyped-def]
    """Set what `read_float_mode` gave, possibly changed. Nothing happens on machines that are not known."""

    def emit(context, builder, signature, args):  # type: ignore[no-untyped-def]
        if _IS_X86:
            builder.store(builder.trunc(args[1], _I32), builder.inttoptr(args[0], _I32.as_pointer()))
            void = ir.FunctionType(ir.VoidType(), [_I64])
            builder.asm(void, "ldmxcsr ($0)", "r,~{memory}", [args[0]], True)
        elif _IS_ARM64:
            builder.asm(ir.FunctionType(ir.VoidType(), [_I64]), "msr fpcr, $0", "r", [args[1]], True)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


FLUSH_BITS = _X86_FLUSH if _IS_X86 else _ARM_FLUSH if _IS_ARM64 else 0
"""Or these into the control word: denormal results and operands become 0."""


# ----------------------------------------------------------------------------------------------- Python's side


def aligned_words(count: int) -> NDArray[np.int64]:
    """Zeroed int64 [count] on a 128-byte boundary, every page touched."""
    raw = np.empty(count + 16, np.int64)
    raw.fill(0)
    skip = (-raw.ctypes.data // 8) % 16
    return raw[skip : skip + count]


def touched_floats(count: int) -> NDArray[np.float32]:
    """Zeroed float32 [count] whose pages are all there, so that the callback's first touch does not fault."""
    samples = np.empty(count, np.float32)
    samples.fill(0.0)
    return samples


@lru_cache
def cache_directory(*sources: str) -> Path:
    """Where compiled code built from these source files is kept: it changes with any of them and with the tools."""
    digest = hashlib.sha256()
    for source in (__file__, *sources):
        digest.update(Path(source).read_bytes())
    digest.update(f"{sys.version} {numba.__version__} {llvmlite.__version__} {np.__version__}".encode())
    return Path(platformdirs.user_cache_dir("gigmate", appauthor=False)) / "native" / digest.hexdigest()[:16]


class _CodeAlone(FunctionCache):  # type: ignore[misc]
    """A cache of numba's that reads compiled code, and not first all that numba could compile.

    Before it looks into a cache numba declares each function of Python and numpy that it knows, and imports SciPy where
    that is installed: a third of a second, for code that is there already. What such code calls at run time is needed
    all the same (`rtsys`), else LLVM ends the process. What is missing is compiled as ever: numba declares it then.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        target_context.refresh = lambda: None  # for this call, under the lock of numba's compiler
        try:
            return super().load_overload(sig, target_context)
        finally:
            del target_context.refresh


def _with_cache(sources: tuple[str, ...], compiled: Callable[[bool], Any]) -> Any:
    """What `compiled(cache)` makes, kept in the directory of these sources.

    numba watches only the file of the function itself; the directory is keyed by every file whose code gets inlined.
    Where the cache cannot be written the function is compiled anew in each process.
    """
    directory = cache_directory(*sources)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        writable = os.access(directory, os.W_OK)
    except OSError:
        writable = False
    before = config.CACHE_DIR
    config.CACHE_DIR = str(directory)  # read by numba at decoration only
    for users in _CACHE_USERS:
        users.FunctionCache = _CodeAlone
    try:
        return compiled(writable)
    finally:
        config.CACHE_DIR = before
        for users in _CACHE_USERS:
            users.FunctionCache = FunctionCache


def cached_cfunc(*sources: str) -> Callable[[Any], Callable[[Callable[..., Any]], Any]]:
    """`cfunc_of = cached_cfunc(__file__, ...)`, then `@cfunc_of(signature)`: a C callback, compiled once a machine."""

    def with_signature(signature: Any) -> Callable[[Callable[..., Any]], Any]:
        def compiled(function: Callable[..., Any]) -> Any:
            return _with_cache(sources, lambda cache: cfunc(signature, error_model="numpy", cache=cache)(function))

        return compiled

    return with_signature


def cached_function(*sources: str, exact: bool = False) -> Callable[[str], Callable[[Callable[..., Any]], Any]]:
    """`@cached_function(__file__, ...)(signature)`: a function for Python, compiled once per machine.

    For some ten microseconds of arithmetic on small arrays: it keeps the interpreter, since letting go and asking for
    it again costs another thread's turn. Sums are added in any order, but where it is to be `exact`: then as they are
    written. `.py_func` is the same in plain Python.
    """
    fast = False if exact else {"reassoc", "contract", "nsz"}

    def with_signature(signature: str) -> Callable[[Callable[..., Any]], Any]:
        def compiled(function: Callable[..., Any]) -> Any:
            return _with_cache(
                sources,
                lambda cache: njit(signature, error_model="numpy", cache=cache, fastmath=fast)(function),
            )

        return compiled

    return with_signature
