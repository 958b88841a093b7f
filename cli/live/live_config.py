"""What the options of `gigmate live` and `gigmate play` say, as the engine takes it: config and songs. Main thread."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ...engine.buses import BusLayout
from ...engine.config import Backend, EngineConfig
from ...engine.errors import ConfigError
from ..complete import parse_channels
from ..options.playing import AS_IT_IS, Wish
from .sync_options import link_mode

if TYPE_CHECKING:
    from ...engine.gestures import BindingTable
    from ...show import Show


def config_of(
    *,
    input_: str,
    outputs: BusLayout,
    backend: str,
    device: str | None,
    rate: int | None,
    block: int | None,
    round_trip: int | None,
    input_file: Path | None,
    output_file: Path | None,
    monitor: float | None,
    fast: bool,
    record: str | None,
    start_now: bool,
    no_wait: bool,
    bindings: BindingTable,
    midi: str | None,
    midi_out: str | None,
    midi_latency: float,
    link: str | None,
    seed: int,
) -> EngineConfig:
    """The options that both commands have; each by the name it has there. Raises ConfigError for what cannot be."""
    if input_file is None and (fast or output_file is not None) and backend != "file":
        raise ConfigError("--fast and --output-file need --input-file: give the recording to play along with")
    return EngineConfig(
        input_channels=parse_channels("--input", input_),
        output_channels=outputs.main,
        part_outputs=outputs.parts,
        click_channels=outputs.click,
        backend=cast("Backend", "file" if input_file is not None and backend == "auto" else backend),
        device=device,
        rate_hz=rate,
        block_samples=block,
        round_trip_samples=round_trip,
        input_file=None if input_file is None else str(input_file),
        output_file=None if output_file is None else str(output_file),
        monitor_db=monitor,
        realtime=not fast,
        record_file=record,
        start_playing=start_now,
        wait_for_musician=not no_wait,
        bindings=bindings,
        midi_name=midi,
        midi_out="auto" if midi_out is None else midi_out,
        midi_latency_ms=midi_latency,
        link=link_mode(link),
        seed=seed,
    )


def show_of(
    config: EngineConfig,
    preset: str,
    set_list: Path | None,
    chart: Path | None,
    sound: str | None,
    wish: Wish = AS_IT_IS,
) -> Show:
    """The songs of the evening. What does not hold of the user's own presets is said on stderr."""
    from ..presets import open_show

    show, faults = open_show(preset, set_list, chart, config.bindings, sound, wish)
    for line in faults:
        print(line, file=sys.stderr)
    return show
