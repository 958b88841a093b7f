"""`gigmate setup`: asks once which device, inputs, outputs and pedal, and writes config.yaml. Main thread."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.config import EngineConfig
from ...engine.errors import EngineError
from .config_command import try_option
from .config_file import checked, read_config, write_config

_ROUNDS = 3
"""How often all inputs are listened to before none moves."""
_STEP_PATIENCE_S = 15.0
_NO = ("n", "no")

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...engine.ports.port import Device


def setup(
    device: Annotated[str | None, typer.Option(metavar="NAME", help="Do not ask: this sound device.")] = None,
    input_: Annotated[str | None, typer.Option("--input", metavar="N[,N]", help="Do not ask: these inputs.")] = None,
    output: Annotated[str | None, typer.Option(metavar="N[,N]", help="Do not ask: these outputs.")] = None,
    pedal: Annotated[str | None, typer.Option(metavar="CCn|NOTEn", help="Do not ask: this is the pedal.")] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Do not ask: this preset.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: what is not given stays as it is.")] = False,
) -> int:
    """Set up once: device, inputs, outputs, pedal and preset, for all runs to come.

    The input is found by playing, the pedal by stepping on it; what is found can be changed at each question.
    """
    if not yes and not sys.stdin.isatty():
        raise EngineError("there is no terminal to ask on: give the options and --yes (see `gigmate setup --help`)")
    values = dict(read_config())
    ask = _keep if yes else _prompt
    given = {"device": device, "input": input_, "output": output, "pedal": pedal, "preset": preset}
    if device is None and not yes:
        values |= _chosen_device(values, ask)
    questions = {
        "input": "Which inputs are you on, counted from 1",
        "output": "Which outputs does the band play on",
        "pedal": "",
        "preset": "Which preset",
    }
    if not yes and input_ is None:
        values |= _heard_input(values, ask)
    if not yes and pedal is None:
        _step_on_pedal(values, ask)
    for key, question in {"device": "", **questions}.items():
        text = given[key]
        if text is None and question:
            text = ask(question, _text(values.get(key, {"input": "1", "preset": "rock"}.get(key, ""))))
        if text:
            try_option(key, wanted := checked(key, text, "setup"))
            values[key] = wanted
    path = write_config(values)
    print(f"{path}: play with `gigmate-live`; `gigmate config` shows it")
    if not yes:
        print("with a cable from an output to an input, `gigmate latency --save` measures the round trip")
    return 0


def _prompt(question: str, before: str) -> str:
    print(f"{question}? [{before}] " if before else f"{question}? ", end="", flush=True)
    return sys.stdin.readline().strip() or before


def _keep(question: str, before: str) -> str:
    del question
    return before


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _chosen_device(values: dict[str, Any], ask: Callable[[str, str], str]) -> dict[str, Any]:
    """backend and device, by the number of a line of those that are there."""
    found: list[Device] = []
    for backend in ("jack", "portaudio"):
        try:
            found += _list(backend)
        except EngineError as error:
            print(f"{backend}: {error}")
    if not found:
        print("no sound device was found: what is asked now is kept for when there is one")
        return {}
    for number, one in enumerate(found, 1):
        mark = " (default)" if one.default else ""
        print(f"{number:>3}  {one.backend}: {one.name}, {one.inputs} in, {one.outputs} out, {one.rate_hz} Hz{mark}")
    while True:
        answer = ask("Which device, by its number (nothing: as it is)", "")
        if not answer:
            return {}
        if answer.isdigit() and 1 <= int(answer) <= len(found):
            one = found[int(answer) - 1]
            return {"backend": one.backend, **({"device": one.name} if one.backend == "portaudio" else {})}
        print(f"give a number from 1 to {len(found)}")


def _list(backend: str) -> list[Device]:
    from ...engine.ports.port import list_devices

    return list_devices(backend, EngineConfig())


def _heard_input(values: dict[str, Any], ask: Callable[[str, str], str]) -> dict[str, Any]:
    """The input that moves while somebody plays; nothing where none does, or nobody wants to play."""
    if ask("Play something now, and go on: Enter listens at every input, n leaves it out", "").lower() in _NO:
        return {}
    from ...engine.ports.input_levels import MOVES_DB, input_peaks

    config = EngineConfig(
        backend=values.get("backend", "auto"), device=values.get("device"), server_name=values.get("server")
    )
    heard: dict[int, float] = {}
    try:
        for _ in range(_ROUNDS):
            for channel, peak in input_peaks(config):
                heard[channel] = max(peak, heard.get(channel, peak))
            if max(heard.values(), default=MOVES_DB) > MOVES_DB:
                break
    except EngineError as error:
        print(error)
        return {}
    loudest = max(heard, key=lambda channel: heard[channel], default=0)
    if not loudest or heard[loudest] <= MOVES_DB:
        print(f"nothing moves at inputs 1 to {max(heard, default=1)}: is the cable in, and the gain up?")
        return {}
    print(f"input {loudest} moves ({heard[loudest]:.0f} dB)")
    return {"input": str(loudest)}


def _step_on_pedal(values: dict[str, Any], ask: Callable[[str, str], str]) -> None:
    """Bind the pedal that is stepped on to starting and stopping the band."""
    if ask("A pedal to start and stop the band? Enter: step on it when asked; n: none", "").lower() in _NO:
        return
    from ..live.midi_learn import bind_by_stepping

    try:
        bind_by_stepping("toggle", _STEP_PATIENCE_S, values.get("server"))
    except EngineError as error:
        print(f"{error}; `gigmate midi-learn toggle` binds one later")
