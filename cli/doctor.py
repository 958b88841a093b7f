"""`gigmate doctor`: checks whether the band can play on this machine, and what to fix. Main thread.

Each look is a function of its own that returns findings and raises nothing: a look that fails is a finding too.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..engine.config import EngineConfig
from ..engine.errors import EngineError
from ..files.json_text import json_text

TORCH_FROM, TORCH_BELOW = (2, 6), (2, 14)
"""The tested range of torch, as pyproject.toml pins it."""
_MEMLOCK_WANTED_BYTES = 128 * 2**20
_STEPS = 100
_WARM_UP_STEPS = 10
_SLOW_SHARE = 0.6
"""A step that takes more of its frame than this leaves too little for the rest of the machine."""

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    level: Level
    """`fail` would stop the band, `warn` may be heard, `ok` is fine."""
    text: str
    mend: str = ""


def doctor(
    server: Annotated[str | None, typer.Option(metavar="NAME", help="JACK: name of the server.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not measure the speed of the model (takes seconds).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Check everything that the band needs here, and say how to fix what is missing.

    Exit code 1 if something would stop the band.
    """
    findings = []
    for finding in examine(EngineConfig(server_name=server), quick):
        findings.append(finding)
        if not as_json:
            print(_line(finding), flush=True)
    failed = any(finding.level == "fail" for finding in findings)
    if as_json:
        print(json_text({"ok": not failed, "findings": [dataclasses.asdict(f) for f in findings]}, indent=2))
    else:
        print("the band cannot play until this is fixed" if failed else "the band can play")
    return 1 if failed else 0


def examine(config: EngineConfig, quick: bool = False) -> Iterator[Finding]:
    """Every finding, as it is made."""
    looks: list[Callable[[], Iterable[Finding]]] = [
        look_at_python,
        look_at_torch,
        lambda: look_at_sound(config),
        look_at_midi,
        look_at_priority,
        look_at_locked_memory,
        look_at_governor,
        look_at_instruments,
        look_at_cache,
        look_at_step,
        look_at_callback,
    ]
    if not quick:
        looks.append(look_at_model)
    for look in looks:
        yield from look()


def _line(finding: Finding) -> str:
    mark = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}[finding.level]
    mend = f"\n       -> {finding.mend}" if finding.mend else ""
    return f"{mark}  {finding.name}: {finding.text}{mend}"


def look_at_python() -> Iterator[Finding]:
    good = (3, 10) <= sys.version_info[:2] <= (3, 13)
    cores = os.cpu_count() or 1
    yield Finding(
        "python",
        "ok" if good else "warn",
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, {cores} cores",
        "" if good else "use Python 3.10 to 3.13: nothing else is tested",
    )


def look_at_torch() -> Iterator[Finding]:
    try:
        text = installed_version("torch")
    except PackageNotFoundError:
        yield Finding("torch", "fail", "not installed", "pip install torch, the CPU build is enough")
        return
    number = tuple(int(part) for part in text.split("+")[0].split(".")[:2] if part.isdigit())
    if TORCH_FROM <= number < TORCH_BELOW:
        yield Finding("torch", "ok", text)
    else:
        span = f"{TORCH_FROM[0]}.{TORCH_FROM[1]} up to, not including, {TORCH_BELOW[0]}.{TORCH_BELOW[1]}"
        yield Finding("torch", "warn", f"{text} is outside the tested range", f"install torch {span}")


def look_at_sound(config: EngineConfig) -> Iterator[Finding]:
    """JACK, PortAudio, and whether there is either."""
    jack_level, jack = _look_at_jack(config)
    portaudio_level, portaudio = _look_at_portaudio(config)
    yield from (jack, portaudio)
    if "ok" not in (jack_level, portaudio_level):
        yield Finding(
            "sound system",
            "fail",
            "neither a JACK server nor a sound card",
            "start JACK or plug in a sound card; until then `gigmate-live` rehearses with a recording",
        )


def _look_at_jack(config: EngineConfig) -> tuple[Level, Finding]:
    from ..engine.ports import jack

    facts = jack.probe(config)
    if not facts["server"]:
        what = "no server answers" if facts["library"] else "libjack is missing"
        return "warn", Finding("jack", "warn", what, str(facts["reason"]))
    block_ms = facts["block_samples"] / facts["rate_hz"] * 1000
    text = f"server at {facts['rate_hz']} Hz, {facts['block_samples']} samples ({block_ms:.1f} ms)"
    if not facts["realtime"]:
        mend = "start it with real-time rights (jackd -R; see the finding on priority)"
        return "ok", Finding("jack", "warn", f"{text}, not in real time", mend)
    return "ok", Finding("jack", "ok", f"{text}, in real time")


def _look_at_portaudio(config: EngineConfig) -> tuple[Level, Finding]:
    from ..engine.ports import portaudio
    from ..engine.ports.port import list_devices

    facts = portaudio.probe(config)
    if not facts["devices"]:
        what = "no device" if facts["library"] else "the library is missing"
        return "warn", Finding("portaudio", "warn", what, facts["reason"] or "plug in a sound card, or start JACK")
    try:
        found = list_devices("portaudio", config)
    except EngineError as error:
        return "warn", Finding("portaudio", "warn", "cannot list its devices", str(error))
    rates = sorted({device.rate_hz for device in found})
    text = f"{len(found)} devices at {', '.join(map(str, rates))} Hz, through {facts['binding']}"
    return "ok", Finding("portaudio", "ok", text)


def look_at_midi() -> Iterator[Finding]:
    from ..control.midi import MidiError, list_midi_inputs

    try:
        names = list_midi_inputs()
    except MidiError as error:
        yield Finding("midi", "warn", "foot switches and notes that go out only through JACK", str(error))
        return
    yield Finding("midi", "ok", ", ".join(names) or "no input plugged in")


def look_at_priority() -> Iterator[Finding]:
    """The right to real-time scheduling, which the sound server's threads need."""
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if soft == resource.RLIM_INFINITY or soft >= 10 or hard >= 10 or _may_set_any_priority():
        yield Finding("real-time priority", "ok", "allowed")
        return
    group = any("rtprio" in _text(path) for path in sorted(Path("/etc/security/limits.d").glob("*.conf")))
    mend = (
        "run `sudo usermod -aG audio $USER` and log in again"
        if group
        else "put `@audio - rtprio 95` and `@audio - memlock unlimited` into /etc/security/limits.d/audio.conf, run "
        "`sudo usermod -aG audio $USER` and log in again"
    )
    yield Finding("real-time priority", "warn", "not allowed: other programs can make the sound drop out", mend)


def _may_set_any_priority() -> bool:
    """Whether the kernel lets this very process have a real-time thread, whatever the limits say."""
    try:
        before = os.sched_getscheduler(0)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, before, os.sched_param(0))
    except OSError:
        return False
    return True


def look_at_locked_memory() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if resource.RLIM_INFINITY in (soft, hard) or max(soft, hard) >= _MEMLOCK_WANTED_BYTES:
        yield Finding("locked memory", "ok", "enough")
        return
    yield Finding(
        "locked memory",
        "warn",
        f"{max(soft, hard) // 1024} KiB: JACK may refuse real time, and swapping can cause dropouts",
        "put `@audio - memlock unlimited` into /etc/security/limits.d/audio.conf and log in again",
    )


def look_at_governor() -> Iterator[Finding]:
    """How the processor trades speed for power, where Linux tells."""
    files = sorted(Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"))
    governors = sorted({_text(path).strip() for path in files} - {""})
    if not governors:
        return
    slow = [governor for governor in governors if governor in ("powersave", "conservative")]
    yield Finding(
        "processor",
        "warn" if slow else "ok",
        f"governor {', '.join(governors)}",
        "run `sudo cpupower frequency-set -g performance` for the gig" if slow else "",
    )


def look_at_instruments() -> Iterator[Finding]:
    """FluidSynth, and a bank for it: without them the neural voice plays."""
    from ..sound.banks import found_banks, usual_bank
    from ..sound.fluid_library import InstrumentError, fluid_library

    try:
        version, bank = fluid_library().version, usual_bank()
    except InstrumentError as error:
        what, _, mend = str(error).partition(": ")
        yield Finding("instruments", "warn", f"{what}; the neural voice plays", mend)
        return
    others = len(found_banks()[0]) - 1
    yield Finding("instruments", "ok", f"FluidSynth {version}, {bank.path} and {others} other banks")


def look_at_cache() -> Iterator[Finding]:
    """The folder of compiled code: without it every start is slow."""
    import tempfile

    import platformdirs

    folder = Path(os.environ.get("GIGMATE_CACHE_DIR") or platformdirs.user_cache_dir("gigmate", appauthor=False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        mend = f"make {folder} writable, or name another folder in GIGMATE_CACHE_DIR"
        yield Finding("cache", "warn", f"{folder}: {error.strerror}: every start will be slow", mend)
        return
    yield Finding("cache", "ok", str(folder))


def look_at_step() -> Iterator[Finding]:
    """Whether the band's step can be built in C, which is several times as fast as TorchScript."""
    from ..model.native.compiler import CompilerError, find_compiler, library

    try:
        began_s = time.perf_counter()
        library()
    except CompilerError as error:
        yield Finding("step", "warn", f"{error}: TorchScript plays, several times slower", "install gcc (or clang)")
        return
    yield Finding("step", "ok", f"in C, by {find_compiler()}, ready in {time.perf_counter() - began_s:.1f} s")


def look_at_callback() -> Iterator[Finding]:
    """Whether the audio callback compiles and runs."""
    try:
        began_s = time.perf_counter()
        import numpy as np

        from ..engine.callback.bridge import Bridge

        Bridge(48_000).process_arrays(np.zeros((1, 128), np.float32), np.zeros((2, 128), np.float32))
    except Exception as error:  # noqa: BLE001 - a compiler can fail in any way, and that is the finding
        yield Finding("audio callback", "fail", f"{type(error).__name__}: {_first_line(error)}", "reinstall numba")
        return
    yield Finding("audio callback", "ok", f"compiled, ready in {time.perf_counter() - began_s:.1f} s")


def look_at_model() -> Iterator[Finding]:
    """The speed of one step against the frame that it must fit in."""
    try:
        began_s = time.perf_counter()
        from ..model.accompanist import load_player

        player = load_player()
        load_s = time.perf_counter() - began_s
        steps_ms = sorted(_time_steps(player))
    except Exception as error:  # noqa: BLE001 - weights and torch can fail in any way, and that is the finding
        mend = "install the range that the finding on torch names, and the weights that came with this version"
        yield Finding("model", "fail", f"{type(error).__name__}: {_first_line(error)}", mend)
        return
    frame_ms = player.frame_samples / player.sample_rate_hz * 1000
    p50_ms, p99_ms = steps_ms[len(steps_ms) // 2], steps_ms[int(len(steps_ms) * 0.99)]
    text = f"a step takes {p50_ms:.1f} ms (p99 {p99_ms:.1f}) of {frame_ms:.0f} ms, loaded in {load_s:.1f} s"
    text = f"{getattr(player, 'runtime', 'played')}: {text}"
    if p50_ms >= frame_ms:
        yield Finding("model", "fail", text, "too slow to play live: close other programs or use a faster machine")
    elif p99_ms >= frame_ms * _SLOW_SHARE:
        yield Finding("model", "warn", text, "little headroom: close other programs, plug in the charger")
    else:
        yield Finding("model", "ok", text)


def _time_steps(player) -> list[float]:  # type: ignore[no-untyped-def]
    """Milliseconds of whole steps (listen and play) on quiet noise, after warming up."""
    import numpy as np

    from ..engine.player import Controls, Moment

    noise = np.random.default_rng(0)
    chunk_samples = player.tail_samples + player.frame_samples
    moment = Moment(0.0, 0.0, 120.0, 4, 1.0)
    times_ms = []
    for step in range(_WARM_UP_STEPS + _STEPS):
        chunk = noise.normal(0, 0.05, chunk_samples).astype(np.float32)
        began_s = time.perf_counter()
        player.listen(chunk)
        player.play(moment, Controls())
        if step >= _WARM_UP_STEPS:
            times_ms.append((time.perf_counter() - began_s) * 1000)
    return times_ms


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else "no message"
