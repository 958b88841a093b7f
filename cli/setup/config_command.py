"""`gigmate config`: what is set up once, where each value comes from, and changing it. Main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...engine.errors import ConfigError
from ...files.json_text import json_text
from .config_file import KEYS, LISTS, checked, config_file, parameter_of, read_config, write_config

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(
    help="Show and change what is set up once.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def config(
    context: typer.Context,
    all_keys: Annotated[bool, typer.Option("--keys", help="Show every key, also those that are not set.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> int | None:
    """Show what is set up once, and where each value comes from."""
    if context.invoked_subcommand is not None:
        return None
    values, defaults = read_config(), _defaults()
    rows = [
        {"key": key, "value": values.get(key, defaults.get(key)), "from": "config.yaml" if key in values else "default"}
        for key in KEYS
        if all_keys or key in values
    ]
    if as_json:
        print(json_text({"file": config_file(), "values": rows}, indent=2))
        return 0
    print(f"{config_file()}{'' if config_file().exists() else ' (not there yet: gigmate setup writes it)'}")
    for row in rows:
        print(f"  {row['key']:<14} {_shown(row['value']):<28} {row['from']}")
    print(
        "options on the command line win; gigmate config --keys shows every key, gigmate config set KEY VALUE sets one"
    )
    return 0


@app.command("set")
def set_(
    key: Annotated[str, typer.Argument(help="The name of an option of `gigmate live`, without the dashes.")],
    value: Annotated[list[str], typer.Argument(help="Its value; of some keys several.")],
) -> int:
    """Set a key for all runs to come."""
    if len(value) > 1 and key not in LISTS and key in KEYS:
        raise ConfigError(f"{key}: give one value")
    given: Any = value[0] == "true" if key == "no-connect" and value[0] in ("true", "false") else value
    given = given if isinstance(given, bool) or key in LISTS else value[0]
    wanted = checked(key, given, "config set")
    try_option(key, wanted)
    print(write_config({**read_config(), key: wanted}))
    return 0


@app.command()
def unset(key: Annotated[str, typer.Argument(help="The key to forget.")]) -> int:
    """Forget a key: its default holds again."""
    values = read_config()
    if key not in values:
        raise ConfigError(f"{key}: is not set; set are {', '.join(values) or 'none'}")
    del values[key]
    print(write_config(values))
    return 0


def try_option(key: str, value: Any) -> None:
    """Raise the error that the option itself would raise."""
    several = value if isinstance(value, list) else [value]
    words = [f"--{key}"] if value is True else [word for one in several for word in (f"--{key}", str(one))]
    _live().make_context("live", [] if value is False else words)
    if key == "pedal":
        from ...presets.bindings import pedal_row

        pedal_row(str(value))


def _live() -> Any:
    from ..live.live_command import live
    from ..live.web_options import LiveCommand

    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(cls=LiveCommand)(live)
    return typer.main.get_command(alone)


def _defaults() -> Mapping[str, Any]:
    """Those of `gigmate live`."""
    by_name = {option.name: option.default for option in _live().params}
    return {key: by_name.get(parameter_of(key)) for key in KEYS}


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "-"
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
