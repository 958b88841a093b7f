"""config.yaml: options that are given once and for all. Reads and writes it, and knows which verb takes which of them.

Its keys are the names of options of `gigmate live` without the dashes. Options on the command line win. Any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...engine.errors import ConfigError, EngineError
from ...files.whole import write_whole
from ...latency.calibration import calibration_file

SOUND_SYSTEM = (
    "backend", "device", "server", "input", "output", "click-output", "rate", "block", "no-connect", "portaudio",
    "client-name", "monitor", "round-trip",
)  # fmt: skip
MUSIC = ("preset", "set", "style", "density", "level", "mute", "fills", "sound", "tuning", "weights")
CONTROL = (
    "pedal", "bindings", "midi", "midi-out", "midi-latency", "time-source", "link", "web", "host", "tls", "tls-key",
    "osc", "osc-to",
)  # fmt: skip
KEYS = (*SOUND_SYSTEM, *MUSIC, *CONTROL)
LISTS = ("output", "level", "mute", "osc-to")
"""Keys whose option may be given several times: one value, or a list of them."""
VERBS: dict[str, tuple[str, ...]] = {
    "live": KEYS,
    "play": KEYS,
    "complete": ("preset", "style", "density", "level", "mute", "fills", "sound", "tuning", "weights"),
}
_FILE_NAME = "config.yaml"
_PATHS = ("set", "bindings", "weights", "tls", "tls-key")
Values = dict[str, Any]


def config_file() -> Path:
    """Where it lies: beside the presets of the user's own ($GIGMATE_CONFIG_DIR says another place)."""
    return calibration_file().with_name(_FILE_NAME)


def read_config(path: Path | None = None) -> Values:
    """Its values as texts, lists of texts, and true; nothing where there is none. Raises ConfigError."""
    path = path or config_file()
    if not path.exists():
        return {}
    from ...presets.strict import read_yaml

    found = read_yaml(path, "configuration", ConfigError)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: give lines such as `input: 2`")
    return {str(key): checked(str(key), value, str(path)) for key, value in found.items()}


def checked(key: str, value: Any, where: str) -> Any:
    """The value as an option takes it. Raises ConfigError for a key that is none, and for a value of another kind."""
    if key not in KEYS:
        from ...presets.strict import nearest

        raise ConfigError(f"{where}: there is no key {key[:40]!r}{nearest(key, KEYS)}: see `gigmate config --keys`")
    if key == "no-connect":
        if not isinstance(value, bool):
            raise ConfigError(f"{where}: {key}: give true or false")
        return value
    many = value if isinstance(value, list) else [value]
    if not many or any(isinstance(one, bool) or not isinstance(one, (str, int, float)) for one in many):
        raise ConfigError(f"{where}: {key}: give a text or a number" + (", or a list of them" if key in LISTS else ""))
    if key in LISTS:
        return [str(one) for one in many]
    if isinstance(value, list):  # input: [1, 2]
        return ",".join(map(str, many))
    return str(Path(value).expanduser()) if key in _PATHS and isinstance(value, str) else str(value)


def write_config(values: Mapping[str, Any], path: Path | None = None) -> Path:
    """Write them in order of KEYS; where. Raises EngineError where that cannot be."""
    import yaml

    path = path or config_file()
    ordered = {key: values[key] for key in KEYS if key in values}
    text = "# Written by `gigmate setup` and `gigmate config`; options on the command line win.\n"
    text += yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True) if ordered else ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise EngineError(
            f"{path}: cannot be written ({error.strerror}): choose a place by GIGMATE_CONFIG_DIR"
        ) from None
    return path


def defaults_of(verb: str, arguments: Sequence[str]) -> Values:
    """What config.yaml gives the options of this verb, by the names of its parameters. Raises ConfigError.

    What an option makes senseless is left out: a recording has no device, another show no set list.
    """
    if verb not in VERBS or any(one in ("--help", "-h", "--version") for one in arguments):
        return {}
    given = {one.partition("=")[0] for one in arguments}
    left_out: set[str] = set()
    if "--input-file" in given:
        left_out |= {*SOUND_SYSTEM} - {"monitor"}
    if given & {"--set", "--preset", "--chart"}:
        left_out |= {"set"} | ({"preset"} if "--set" in given else set())
    if "--backend" in given:
        left_out |= {"device", "server"}
    values = {key: value for key, value in read_config().items() if key in VERBS[verb] and key not in left_out}
    return {parameter_of(key): value for key, value in values.items()}


def parameter_of(key: str) -> str:
    """The name of the verb's parameter: words that Python has taken end in an underscore."""
    name = key.replace("-", "_")
    return f"{name}_" if name in ("input", "set") else name
