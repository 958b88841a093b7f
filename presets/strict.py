"""Strict parsing of YAML files: each key once, no unknown keys, one-line errors.

Knows no preset and no binding. Any thread; `read_yaml` reads a file.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import itertools
import textwrap
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError

from ..engine.errors import ConfigError

MAX_FILE_BYTES = 100_000


class Strict(BaseModel):
    """Values that do not change, of exactly their types, without keys that are not fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What stands below a field in the source describes it. Read when a schema is asked for: pydantic itself
        (`use_attribute_docstrings`) would read the source at each start."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in _texts_below_fields(cls).items():
            if name in properties:
                properties[name]["description"] = text
        return schema


def _texts_below_fields(model: type[BaseModel]) -> dict[str, str]:
    (source,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    lines = source.body if isinstance(source, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in itertools.pairwise(lines)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def nearest(word: str, words: Iterable[str]) -> str:
    """ " (did you mean X?)" for the closest of `words`, or nothing where none is close."""
    close = difflib.get_close_matches(word[:100], list(words), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def read_yaml(path: Path, what: str, fault: type[ConfigError]) -> Any:
    """The plain values of a YAML file. `what` names such a file in errors ("preset").

    Raises `fault`: no such file, unreadable, too large, not YAML, a key twice.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise fault(f"no {what} file {path}: check the path") from None
    except OSError as error:
        raise fault(f"cannot read the {what} {path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise fault(f"{path}: larger than any {what} ({MAX_FILE_BYTES} bytes): is this the right file?")
    return parse_yaml(data, str(path), fault)


def parse_yaml(data: bytes, where: str, fault: type[ConfigError]) -> Any:
    """The plain values in YAML text. Raises `fault`; `where` names the file in it."""
    try:
        return yaml.load(data, Loader=_UniqueKeyLoader)  # a SafeLoader: makes plain values only
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        mend = "put text with a colon in it in quotes" if "mapping values" in str(error.problem) else "mend that line"
        raise fault(f"{where}:{line} is not YAML ({error.problem or 'unreadable'}): {mend}") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise fault(f"{where}: is not YAML text ({reason})") from None


_TEXT_KEYS = ("title", "name", "description", "notes", "lyrics", "preset", "section")
"""Keys whose values are words of the musician's: 1979, No and 22:22 are titles there, not what YAML takes them for."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys without a word; a musician wants to know."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.value in _TEXT_KEYS and isinstance(value_node, yaml.ScalarNode) and value_node.value:
                value_node.tag = "tag:yaml.org,2002:str"
            key = str(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def fault_line(error: ValidationError, model: type[BaseModel]) -> str:
    """One line for the first of pydantic's findings, unknown keys before wrong values.

    Places count from 1 ("bindings 3"); a wrong key is answered with the nearest of those that fit there.
    """
    findings = sorted(error.errors(), key=lambda finding: finding["type"] != "extra_forbidden")
    finding = findings[0]
    path = finding["loc"]
    if finding["type"] == "extra_forbidden":
        keys = tuple(_model_at(model, path[:-1]).model_fields)
        return f"no key {_dotted(path)!r}{nearest(str(path[-1]), keys)}: keys are {', '.join(keys)}"
    if finding["type"] == "missing":
        return f"the key {_dotted(path)!r} is missing: write `{path[-1]}: ...`"
    if finding["type"] == "value_error":
        mend = str(finding["ctx"]["error"])
        if isinstance(finding["input"], dict):  # the whole of a mapping: what it holds is no help
            return f"{_dotted(path)}: {mend}" if path else mend
    elif finding["type"] == "string_type" and finding["input"] is None:
        return f"{_dotted(path)} is empty: write some text there; text that begins with # stands in quotes"
    else:
        message = str(finding["msg"])
        mend = message[:1].lower() + message[1:]
    shown = repr(finding["input"])
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    return f"{_dotted(path)}: {shown}: {mend}" if path else f"{shown}: {mend}"


def _dotted(path: tuple[int | str, ...]) -> str:
    """ "levels_db.drums", "bindings 3.cc"."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f" {step + 1}"
        else:
            text += f".{step}" if text else step
    return text


def _model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    """The model that holds the keys at that place, as far as the fields' types tell."""
    for step in path:
        if isinstance(step, str) and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [_model_in(inner) for inner in get_args(annotation)]
    return next((inner for inner in found if inner is not None), None)
