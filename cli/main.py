"""The commands `gigmate`, `gigmate-live`, `gigmate-latency`, and their verbs.

Imports the verb that is called, and nothing heavy: torch and numba wait inside it. Main thread only.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from typing import Any, NamedTuple

import typer

from . import boundary
from .options.version import VersionOption
from .setup.config_file import VERBS as CONFIGURED
from .setup.config_file import defaults_of

_LOADING_THREAD = "gigmate-load"  # as the session names it, whose import would cost every start
_PLAIN = {"pretty_exceptions_enable": False, "rich_markup_mode": None}
_HELP = {"help_option_names": ["-h", "--help"]}  # of every verb below as well


class _Verb(NamedTuple):
    """Where a verb is: imported when it is called, and with all others for the help that lists them."""

    name: str
    module: str
    attribute: str
    """A function, or a group of verbs (a typer app)."""
    takes_web: bool = False


VERBS = (
    _Verb("live", "live.live_command", "live", takes_web=True),
    _Verb("complete", "complete", "complete"),
    _Verb("devices", "devices", "devices"),
    _Verb("doctor", "doctor", "doctor"),
    _Verb("bench", "bench.bench_command", "bench"),
    _Verb("latency", "latency.latency_command", "latency"),
    _Verb("listen", "listen", "listen"),
    _Verb("learn", "charts.learn_command", "learn"),
    _Verb("midi-learn", "live.midi_learn", "midi_learn"),
    _Verb("eval", "eval.eval_command", "app"),
    _Verb("play", "live.play_command", "play", takes_web=True),
    _Verb("presets", "presets", "app"),
    _Verb("charts", "charts.charts_command", "app"),
    _Verb("export", "export", "export"),
    _Verb("plugin", "plugin.plugin_command", "app"),
    _Verb("serve", "serve", "serve"),
    _Verb("sounds", "live.sounds_command", "sounds"),
    _Verb("data", "train.data_command", "app"),
    _Verb("train", "train.train_command", "app"),
    _Verb("setup", "setup.setup_command", "setup"),
    _Verb("config", "setup.config_command", "app"),
    _Verb("man", "setup.man_command", "man"),
    _Verb("version", "options.version", "version"),
)
"""In the order of `gigmate --help`."""


def app_of(*verbs: _Verb) -> typer.Typer:
    """`gigmate` with these verbs."""
    app = typer.Typer(no_args_is_help=True, context_settings=_HELP, **_PLAIN)  # type: ignore[arg-type]
    app.callback()(gigmate)
    for verb in verbs:
        found = _found(verb)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb.name)
        else:
            app.command(verb.name, cls=_class_of(verb))(found)
    return app


def app_alone(name: str) -> typer.Typer:
    """A command that is this verb."""
    app = typer.Typer(**_PLAIN)  # type: ignore[arg-type]
    verb = next(one for one in VERBS if one.name == name)
    app.command(cls=_class_of(verb), context_settings=_HELP)(_found(verb))
    return app


def _found(verb: _Verb) -> Any:
    return getattr(import_module(f".{verb.module}", __package__), verb.attribute)


def _class_of(verb: _Verb) -> Any:
    """Of typer's command; None: its own."""
    if not verb.takes_web:
        return None
    from .live.web_options import LiveCommand

    return LiveCommand


def gigmate(show_version: VersionOption = False) -> None:
    """GigMate: a band that plays along with you, live."""


def main() -> None:
    """Entry point of `gigmate`."""
    called = [verb for verb in VERBS if verb.name == (sys.argv[1:2] or [""])[0]]
    _end(boundary.run(app_of(*(called or VERBS)), "gigmate", defaults=_of_verb))


def main_live() -> None:
    """Entry point of `gigmate-live`."""
    _end(boundary.run(app_alone("live"), "gigmate-live", defaults=lambda words: defaults_of("live", words)))


def main_latency() -> None:
    """Entry point of `gigmate-latency`."""
    _end(boundary.run(app_alone("latency"), "gigmate-latency"))


def _of_verb(words: list[str]) -> dict[str, Any]:
    """What config.yaml gives the verb that is called."""
    verb = words[0] if words else ""
    return {verb: defaults_of(verb, words[1:])} if verb in CONFIGURED else {}


def _end(code: int) -> None:
    """Leave with `code`, and at once where the model is still on its way: nobody waits for torch to be told no."""
    if any(thread.name == _LOADING_THREAD for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def __getattr__(name: str) -> typer.Typer:
    """`app`, `live_app` and `latency_app`: the three commands whole, for whoever looks at them without calling one."""
    makers = {
        "app": lambda: app_of(*VERBS),
        "live_app": lambda: app_alone("live"),
        "latency_app": lambda: app_alone("latency"),
    }
    if name not in makers:
        raise AttributeError(name)
    made = globals()[name] = makers[name]()
    return made
