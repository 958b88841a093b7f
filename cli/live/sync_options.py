"""`--link`: the band in time with others on the network. Values only."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import typer

from ...engine.errors import ConfigError

LinkOption = Annotated[
    str | None,
    typer.Option(
        "--link",
        metavar="follow|lead",
        help="Ableton Link: follow the session that is there, or let it follow the band. Needs the extra link.",
    ),
]


def link_mode(text: str | None) -> Literal["off", "follow", "lead"]:
    """What the config takes. Raises ConfigError for another word, or where the extra is missing."""
    if text is None:
        return "off"
    if text not in ("follow", "lead"):
        raise ConfigError(f"--link {text}: give follow or lead")
    from ..extras import need

    need("aalink")
    return cast("Literal['follow', 'lead']", text)
