"""The commands `gigmate`, `gigmate-live`, `gigmate-latency`, and their verbs.

Imports nothing heavy: torch and numba wait inside the verbs. Main thread only.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import typer

from . import (
    boundary,
    complete,
    devices,
    doctor,
    export,
    listen,
    presets,
    serve,
)
from .bench import bench_command
from .charts import charts_command, learn_command
from .eval import eval_command
from .latency import latency_command
from .live import (
    live_command,
    midi_learn,
    play_command,
    sounds_command,
    web_options,
)
from .options import version
from .options.version import VersionOption
from .plugin import plugin_command
from .setup import config_command, setup_command
from .setup.config_file import VERBS, defaults_of
from .train import data_command, train_command

_LOADING_THREAD = "gigmate-load"  # as the session names it, whose import would cost every start
_PLAIN = {"pretty_exceptions_enable": False, "rich_markup_mode": None}
_HELP = {"help_option_names": ["-h", "--help"]}  # of every verb below as well

app = typer.Typer(no_args_is_help=True, context_settings=_HELP, **_PLAIN)  # type: ignore[arg-type]
live_app = typer.Typer(**_PLAIN)  # type: ignore[arg-type]
latency_app = typer.Typer(**_PLAIN)  # type: ignore[arg-type]

app.command("live", cls=web_options.LiveCommand)(live_command.live)
app.command("complete")(complete.complete)
app.command("devices")(devices.devices)
app.command("doctor")(doctor.doctor)
app.command("bench")(bench_command.bench)
app.command("latency")(latency_command.latency)
app.command("listen")(listen.listen)
app.command("learn")(learn_command.learn)
app.command("midi-learn")(midi_learn.midi_learn)
app.add_typer(eval_command.app, name="eval")
app.command("play", cls=web_options.LiveCommand)(play_command.play)
app.add_typer(presets.app, name="presets")
app.add_typer(charts_command.app, name="charts")
app.command("export")(export.export)
app.add_typer(plugin_command.app, name="plugin")
app.command("serve")(serve.serve)
app.command("sounds")(sounds_command.sounds)
app.add_typer(data_command.app, name="data")
app.add_typer(train_command.app, name="train")
app.command("setup")(setup_command.setup)
app.add_typer(config_command.app, name="config")
app.command("version")(version.version)
live_app.command(cls=web_options.LiveCommand, context_settings=_HELP)(live_command.live)
latency_app.command(context_settings=_HELP)(latency_command.latency)


@app.callback()
def gigmate(show_version: VersionOption = False) -> None:
    """GigMate: a band that plays along with you, live."""


def main() -> None:
    """Entry point of `gigmate`."""
    _end(boundary.run(app, "gigmate", defaults=_of_verb))


def main_live() -> None:
    """Entry point of `gigmate-live`."""
    _end(boundary.run(live_app, "gigmate-live", defaults=lambda words: defaults_of("live", words)))


def main_latency() -> None:
    """Entry point of `gigmate-latency`."""
    _end(boundary.run(latency_app, "gigmate-latency"))


def _of_verb(words: list[str]) -> dict[str, Any]:
    """What config.yaml gives the verb that is called."""
    verb = words[0] if words else ""
    return {verb: defaults_of(verb, words[1:])} if verb in VERBS else {}


def _end(code: int) -> None:
    """Leave with `code`, and at once where the model is still on its way: nobody waits for torch to be told no."""
    if any(thread.name == _LOADING_THREAD for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
