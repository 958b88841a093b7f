"""`gigmate latency` and `gigmate-latency`: measure the round trip and compare it with the driver's claim. Main thread.

Knows what to ask for and what to print; signals and arithmetic are `latency`'s, the way through the card `engine`'s.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ...engine.config import Backend, EngineConfig
from ...engine.errors import ConfigError, EngineError
from ...files.json_text import json_text
from ..options.files import ForceOption
from ..options.version import VersionOption

if TYPE_CHECKING:
    from ...engine.ports.loopback import PortLoop
    from ...latency.calibration import SignalPath
    from ...latency.probe import (
        Measurement,
        Method,
        Probe,
        ProbeError,
    )

BACKENDS = ("auto", "jack", "portaudio")
_OTHER_INPUTS = 8
_CLIENT = "gigmate-latency"


def latency(
    input_: Annotated[
        str, typer.Option("--input", metavar="N", help="Input channel that the cable is plugged into.")
    ] = "1",
    output: Annotated[
        str, typer.Option("--output", metavar="N", help="Output channel that the cable comes from.")
    ] = "1",
    backend: Annotated[str, typer.Option(metavar="NAME", help="auto, jack or portaudio.")] = "auto",
    device: Annotated[str | None, typer.Option(metavar="NAME", help="Sound device, or part of its name.")] = None,
    rate: Annotated[int | None, typer.Option(metavar="HZ", help="Sample rate. Default: the device's.")] = None,
    block: Annotated[int | None, typer.Option(metavar="SAMPLES", help="Block size. Default: the device's.")] = None,
    server: Annotated[str | None, typer.Option(metavar="NAME", help="JACK: name of the server.")] = None,
    method: Annotated[str, typer.Option(metavar="NAME", help="auto, tones or burst.")] = "auto",
    repeats: Annotated[int, typer.Option(metavar="N", help="How many times to send the burst.")] = 3,
    max_delay: Annotated[float, typer.Option(metavar="S", help="The longest delay to look for.")] = 4.5,
    save: Annotated[bool, typer.Option("--save", help="Save the result: gigmate-live uses it from then on.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep measuring until Ctrl-C.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Let the live engine click, and measure how late the clicks are.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="F.png", help="Write a plot of the response of the loop.")
    ] = None,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    version: VersionOption = False,
) -> int:
    """Measure the round trip from an output to an input.

    Connect the two with a cable (or let a microphone hear the loudspeaker). It begins quietly. Exit code 0 with a
    reliable figure, 1 with one line that says which plug to move, 2 for wrong options.
    """
    from ...latency.probe import METHODS

    if backend not in BACKENDS:
        raise ConfigError(f"--backend {backend}: give one of {', '.join(BACKENDS)}")
    if method not in METHODS:
        raise ConfigError(f"--method {method}: give one of {', '.join(METHODS)}")
    if not 1 <= repeats <= 100:
        raise ConfigError(f"--repeats {repeats}: give 1 to 100")
    if not (math.isfinite(max_delay) and 0.05 <= max_delay <= 5.0):
        raise ConfigError(f"--max-delay {max_delay:g}: give 0.05 to 5 seconds")
    if plot is not None:
        _check_plot(plot, force)
    config = EngineConfig(
        input_channels=(_channel("--input", input_),),
        output_channels=(_channel("--output", output),),
        backend=cast("Backend", backend),
        device=device,
        rate_hz=rate,
        block_samples=block,
        server_name=server,
        client_name=_CLIENT,
    )
    if verify:
        from . import latency_verify

        return latency_verify.verify(config, as_json)
    wanted = _Wanted(cast("Method", method), repeats, max_delay, quiet=as_json)
    try:
        return _run(config, wanted, save, watch, plot, as_json)
    except EngineError as error:
        cause = getattr(error.__cause__, "cause", None)
        if as_json and cause is not None:
            print(json_text({"error": str(error), "cause": cause}))
        raise


class _Wanted:
    """How to measure."""

    def __init__(self, method: Method, repeats: int, max_delay_s: float, quiet: bool = False) -> None:
        self.method, self.repeats, self.max_delay_s = method, repeats, max_delay_s
        self._quiet = quiet

    def say(self, line: str) -> None:
        """What is being tried, where the figure does not come at once: a silent program looks like a dead one."""
        if not self._quiet:
            print(line, file=sys.stderr, flush=True)

    def probe(self, loop: PortLoop, config: EngineConfig) -> Probe:
        from ...latency.probe import Probe

        source, target = (
            f"{kind} {channel} ({name})"
            for kind, channel, name in (
                ("output", config.output_channels[0], loop.port.output_names[0]),
                ("input", config.input_channels[0], loop.port.input_names[0]),
            )
        )
        return Probe(loop, self.method, self.repeats, self.max_delay_s, source, target, self.say)


def _channel(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{option} {text}: give one channel, as a number from 1") from None


def _run(config: EngineConfig, wanted: _Wanted, save: bool, watch: bool, plot: Path | None, as_json: bool) -> int:
    from ...engine.ports.loopback import PortLoop, signal_path_of_port
    from ...engine.ports.port import open_port
    from ...latency.probe import NoCable, ProbeError

    port = open_port(config)
    signal_path = signal_path_of_port(port, config)
    with PortLoop(port) as loop:
        try:
            probe = wanted.probe(loop, config)
            wanted.say(_start_text(loop))
            found = probe.measure()
            figures = _figures(found, loop)
            if save:
                figures["saved"] = str(_save(signal_path, found))
            print(json_text(figures) if as_json else "\n".join(_lines(found, figures, signal_path)), flush=True)
            if plot is not None:
                _draw(found, plot)
            if watch:
                for again in probe.watch(found):
                    print(json_text(_figures(again, loop)) if as_json else _short(again), flush=True)
        except NoCable as error:
            nothing: ProbeError = error
        except ProbeError as error:
            raise EngineError(str(error)) from error
        else:
            return 0
    other = _elsewhere(config, wanted, nothing)
    raise EngineError(str(other)) from other


def _elsewhere(config: EngineConfig, wanted: _Wanted, nothing: ProbeError) -> ProbeError:
    """Look for the signal on the other inputs: the error that names the plug, or `nothing` again."""
    from ...engine.ports.loopback import PortLoop
    from ...engine.ports.port import open_port
    from ...latency.probe import WrongChannel

    asked = config.input_channels[0]
    for channel in range(1, _OTHER_INPUTS + 1):
        if channel == asked:
            continue
        try:
            port = open_port(replace(config, input_channels=(channel,)))
        except EngineError:
            break  # there are no more
        wanted.say(f"looking for it on input {channel}")
        with PortLoop(port) as loop:
            if wanted.probe(loop, config).detects_burst():
                return WrongChannel(
                    f"what goes out of output {config.output_channels[0]} comes back on input {channel}, not on"
                    f" input {asked}: move the plug to input {asked}, or give --input {channel}"
                )
    return nothing


def _save(signal_path: SignalPath, found: Measurement) -> Path:
    from ...latency.calibration import CalibrationError, save_calibration

    try:
        return save_calibration(signal_path, found.delay_samples, found.confidence, found.method)
    except CalibrationError as error:
        raise EngineError(str(error)) from error


# --------------------------------------------------------------------------------------------------- what is shown


def _figures(found: Measurement, loop: PortLoop) -> dict[str, Any]:
    port = loop.port
    claimed = port.capture_latency_samples + port.playback_latency_samples
    return {
        "backend": port.backend,
        "output": port.output_names[0],
        "input": port.input_names[0],
        "block_samples": port.block_samples,
        **found.to_dict(),
        "claimed": {
            "capture_samples": port.capture_latency_samples,
            "playback_samples": port.playback_latency_samples,
            "round_trip_samples": claimed,
        },
        "claim_error_samples": claimed - found.delay_samples,
        "xruns": port.xruns,
        "lost_samples": loop.lost_samples,
        "repeated_exchanges": loop.disturbed,
    }


def _start_text(loop: PortLoop) -> str:
    port = loop.port
    return (
        f"{port.backend}: {port.output_names[0]} to {port.input_names[0]}, {port.rate_hz} Hz,"
        f" block {port.block_samples}; listen: it begins quietly"
    )


def _lines(found: Measurement, figures: dict[str, Any], signal_path: SignalPath) -> Iterator[str]:
    yield _short(found)
    yield (
        f"  {'upright' if found.polarity > 0 else 'inverted'}, gain {found.gain_db:+.1f} dB,"
        f" noise {found.noise_dbfs:.0f} dBFS, by {found.method}, confidence {found.confidence:.3f}"
    )
    yield (
        f"  spread {found.spread_samples:.3f} samples over {found.repeats} bursts,"
        f" clocks drift {found.drift_ppm:+.2f} ppm"
    )
    claimed = figures["claimed"]["round_trip_samples"]
    error = figures["claim_error_samples"]
    verdict = "which is right" if abs(error) < 1.0 else f"{abs(error):.1f} too {'many' if error > 0 else 'few'}"
    who = "server" if signal_path.backend == "jack" else "driver"
    yield f"  the {who} claims {claimed} samples ({1000.0 * claimed / found.rate_hz:.3f} ms): {verdict}"
    for note in found.notes:
        yield f"  {note}"
    if figures["lost_samples"]:
        yield f"  {figures['lost_samples']} samples were lost while measuring: the machine is busy"
    if "saved" in figures:
        yield f"  saved for {signal_path.text} in {figures['saved']}"
    else:
        yield "  with --save gigmate-live uses it from now on"


def _short(found: Measurement) -> str:
    return f"round trip {found.delay_samples:.3f} samples, {found.delay_ms:.3f} ms at {found.rate_hz} Hz"


def _check_plot(path: Path, force: bool) -> None:
    from ..extras import need
    from ..output_files import check_output

    check_output(path, "--plot", force)
    need("matplotlib")


def _draw(found: Measurement, path: Path) -> None:
    """The impulse response around its peak, and all of it in dB."""
    if not found.response.size:
        raise EngineError("--plot draws the burst's response: leave --method tones out")
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot

    response, peak = found.response, round(found.delay_samples)
    first, last = max(0, peak - 64), min(response.size, peak + 256)
    figure, (near, all_of_it) = pyplot.subplots(2, 1, figsize=(9, 6), layout="constrained")
    near.plot(np.arange(first, last), response[first:last], linewidth=1)
    near.axvline(found.delay_samples, color="tab:red", linewidth=0.8)
    near.set(title=_short(found), xlabel="samples", ylabel="response")
    height_db = 20.0 * np.log10(np.maximum(np.abs(response), 1e-9))
    all_of_it.plot(1000.0 * np.arange(response.size) / found.rate_hz, height_db, linewidth=0.5)
    all_of_it.set(xlabel="ms", ylabel="dB")
    for axes in (near, all_of_it):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
