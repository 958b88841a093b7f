"""The C header of the memory that shell and engine share, made from the engine's tables:

    python -m gigmate.plugin.layout > plugin/source/layout.h

Any thread.
"""

from __future__ import annotations

import zlib
from importlib.metadata import version

from ..dsp.ring import HOLE_BITS, RING_TABLE
from ..engine.callback.hosted import plugin_table
from ..engine.callback.state_table import POSITION_WORDS
from ..engine.ports.plugin import JACK_FIELDS
from .parameters import Parameter, parameters

_BEGIN = """/* Made by python -m gigmate.plugin.layout from engine/callback/hosted/plugin_table.py: change that. */
#ifndef GIGMATE_LAYOUT_H
#define GIGMATE_LAYOUT_H
"""


def header() -> str:
    """The text of plugin/source/layout.h."""
    lines = [_BEGIN, f"#define GM_MAGIC INT64_C({plugin_table.MAGIC:#x})"]
    lines.append(f"#define GM_LAYOUT INT64_C({plugin_table.LAYOUT:#x})")
    lines.append(f"#define GM_HOLE_BITS {HOLE_BITS:#x}u")
    lines += ["", "enum { /* words of 64 bits from the beginning of the memory */"]
    lines += [f"    GM_{word.name} = {word.offset}," for word in plugin_table.PLUGIN_TABLE.declared]
    lines += [f"    GM_SHARED_WORDS = {plugin_table.SHARED_WORDS}", "};", ""]
    lines += ["enum { /* words of a ring, from its own beginning */"]
    lines += [f"    GM_RING{word.name} = {word.offset}," for word in RING_TABLE.declared]
    lines += [f"    GM_RING_WORDS = {RING_TABLE.size}", "};", ""]
    lines += ["enum {"]
    lines += [f"    GM_{name} = {value}," for name, value in plugin_table.CONSTANTS.items()]
    lines += [f"    GM_STATE_{name.upper()} = {number}," for number, name in enumerate(plugin_table.STATES)]
    lines += [f"    GM_POSITION_WORDS = {POSITION_WORDS}", "};", ""]
    lines += ["enum { /* bytes from the beginning of a jack_position_t */"]
    lines += [f"    GM_JACK_{name.upper()} = {at}," for name, at in JACK_FIELDS.items()]
    lines += ["    GM_JACK_HAS_BBT = 0x10", "};", ""]
    named = parameters()
    lines += ["enum { /* parameters */"]
    lines += [f"    GM_P_{one.symbol.upper()} = {number}," for number, one in enumerate(named)]
    lines += [f"    GM_PARAMETERS = {len(named)}", "};", ""]
    lines += ["#endif"]
    return "\n".join(lines) + "\n"


_TABLE = """#include <stdint.h>

enum { GM_NUMBER, GM_SWITCH, GM_TRIGGER, GM_WHOLE, GM_CHOICE };

static const struct {
    const char *name, *unit;
    uint32_t id; /* the same for ever, whatever stands before it */
    int kind;
    double low, high, otherwise;
    const char *const *choices;
} gm_parameters[] = {
"""
_UNITS = {"": "", "db": " dB", "ms": " ms"}
_SWITCH = ("off", "on")


def parameter_header() -> str:
    """The text of parameters.h: what faces without a description beside them tell hosts of the parameters. It is made
    when the library is built, of the presets that ship then."""
    lists, rows = [], []
    for number, one in enumerate(parameters()):
        names = one.choices or (_SWITCH if one.kind in ("switch", "trigger") else ())
        if names:
            told = ", ".join(f'"{name}"' for name in names)
            lists.append(f"static const char *const gm_choices_{number}[] = {{{told}}};")
        rows.append(_row(one, f"gm_choices_{number}" if names else "NULL"))
    begin = "/* Made by plugin/library.py for one build. */\n#include <stddef.h>\n"
    release = f'#define GIGMATE_VERSION "{version("gigmate")}"'
    return "\n".join([begin, release, *lists, _TABLE + ",\n".join(rows), "};"]) + "\n"


def _row(one: Parameter, choices: str) -> str:
    numbers = f"{one.low:.1f}, {one.high:.1f}, {one.default:.1f}"
    named = f'"{one.name}", "{_UNITS[one.unit]}", {zlib.crc32(one.symbol.encode()):#x}u'
    return f"    {{{named}, GM_{one.kind.upper()}, {numbers}, {choices}}}"


if __name__ == "__main__":
    print(header(), end="")
