"""`--output` and `--click-output`: which channel plays what. Values only; raises ConfigError with one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ...engine.buses import DEFAULT_OUTPUTS, MAIN, BusLayout, check_buses
from ...engine.errors import ConfigError
from ..complete import parse_channels

OutputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        metavar="N[,N]|PART=N[,N]",
        help="Output channels, left and right; drums=5,6 gives a part its own. May be repeated. Default: 1,2.",
    ),
]


def parse_outputs(outputs: Sequence[str], click: str | None = None) -> BusLayout:
    """The layout of "3,4" and "drums=5,6"; `click` as "4" or None. Raises ConfigError for outputs that cannot be."""
    main: list[tuple[int, ...]] = []
    parts: list[tuple[str, tuple[int, ...]]] = []
    for text in outputs:
        name, named, channels = text.partition("=")
        if not named:
            main.append(parse_channels("--output", text))
        elif name.strip() == MAIN:
            main.append(parse_channels(f"--output {name}:", channels))
        else:
            parts.append((name.strip(), parse_channels(f"--output {name}:", channels)))
    if len(main) > 1:
        given = " and ".join(",".join(map(str, channels)) for channels in main)
        raise ConfigError(f"--output {given}: give the band's own outputs once; those of a part as drums=5,6")
    clicks = () if click is None else parse_channels("--click-output", click)
    layout = BusLayout(main[0] if main else DEFAULT_OUTPUTS, tuple(parts), clicks)
    check_buses(layout)
    return layout
