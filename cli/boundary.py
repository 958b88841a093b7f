"""Turns errors into one line on stderr and an exit code, in one place. Knows no verb.

Exit codes: 0 done; 1 something failed that can be mended (no server, no rights, damaged weights); 2 the request itself
is wrong (an option, a channel, a preset); 128 + N ended by signal N.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import typer

DEBUG_VARIABLE = "GIGMATE_DEBUG"
FAILURE, USAGE = 1, 2

# typer carries click inside itself in newer releases and imports it in older ones; its own face names both.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]


def run(
    app: typer.Typer,
    prog: str,
    arguments: list[str] | None = None,
    defaults: Callable[[list[str]], dict[str, Any]] | None = None,
) -> int:
    """Run a typer app and return the exit code; whatever goes wrong is one line on stderr.

    `defaults` gives, for these arguments, what takes the place of the options' own defaults.

    With GIGMATE_DEBUG=1 in the environment the traceback comes first.
    """
    _open_streams()
    debug = os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"{prog}: {_one_line(str(message))}\n"
    if not debug:
        # Deprecations that torch prints from C++ are nothing a musician can mend.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        more = {} if defaults is None else {"default_map": defaults(sys.argv[1:] if arguments is None else arguments)}
        result = app(args=arguments, prog_name=prog, standalone_mode=False, **more)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output has gone (`gigmate devices | head -1`): nothing is wrong, and nobody reads why.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + getattr(signal, "SIGPIPE", 13)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            print(_text_of(error), file=sys.stderr)
            return USAGE
        return _report(error, prog)
    except Exception as error:  # noqa: BLE001 - the boundary: nothing may pass as a traceback
        if debug:
            traceback.print_exc()
        return _report(error, prog)
    finally:
        warnings.formatwarning = before


def _open_streams() -> None:
    """Make what is printed unable to end a verb: a stream that was closed outside (`>&-`) goes nowhere, and what the
    terminal's encoding cannot show (a name that is not UTF-8, a dot of a beat in ASCII) is written with backslashes.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # Takes the number that is free, so that no file opened later is written to as if it were the terminal.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _report(error: Exception, prog: str) -> int:
    line, code = explain(error, prog)
    print(f"{prog}: {line}", file=sys.stderr)
    return code


def explain(error: Exception, prog: str = "gigmate") -> tuple[str, int]:
    """The line to print for an error, and the exit code."""
    from ..engine.errors import ConfigError, EngineError

    if isinstance(error, _ClickError):
        code = USAGE if isinstance(error, _UsageError) else FAILURE
        return f"{_one_line(_text_of(error))}: see `{_command_of(error, prog)} --help`", code
    if isinstance(error, ConfigError) or _named(error, "training.errors", "TrainingError"):
        return _one_line(str(error)), USAGE
    if isinstance(error, EngineError) or _named(error, "model.weights_file", "CheckpointError"):
        return _one_line(str(error)), FAILURE
    if _named(error, "model.native.compiler", "CompilerError"):
        return _one_line(str(error)), FAILURE
    if _named(error, "control.midi", "MidiError") or _named(error, "sound.fluid_library", "InstrumentError"):
        return _one_line(str(error)), FAILURE
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] != __package__.split(".")[0]:
        from .extras import missing_line

        return missing_line(error.name or "a package"), FAILURE
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "there is not enough memory: close other programs, and start again", FAILURE
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}{_os_mend(error)}", FAILURE
    return (
        f"{type(error).__name__}: {_one_line(str(error))}: this is an error in GigMate; "
        f"run it again with {DEBUG_VARIABLE}=1 and report what it prints",
        FAILURE,
    )


def _text_of(error: Any) -> str:
    return str(error.format_message())


def _command_of(error: Exception, prog: str) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context is not None else prog


def _named(error: Exception, module: str, name: str) -> bool:
    """Whether the error is of that class, without importing a heavy module to find out."""
    loaded = sys.modules.get(f"{__package__.rsplit('.', 1)[0]}.{module}")
    return loaded is not None and isinstance(error, getattr(loaded, name))


def _os_mend(error: OSError) -> str:
    by_number = {
        errno.ENOSPC: ": make room on that disk",
        errno.EROFS: ": choose a place where you may write",
    }
    if error.errno in by_number:
        return by_number[error.errno]
    mends: dict[type[OSError], str] = {
        FileNotFoundError: ": check the path",
        FileExistsError: ": what stands there is in the way: choose another name",
        PermissionError: ": choose a place where you may write, or change its rights",
        IsADirectoryError: ": name a file, not a folder",
        NotADirectoryError: ": a part of the path is a file, not a folder",
    }
    return mends.get(type(error), "")


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
