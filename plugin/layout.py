"""The C header of the memory that shell and engine share, made from the engine's tables:

    python -m gigmate.plugin.layout > plugin/source/layout.h

Any thread.
"""

from __future__ import annotations

from ..dsp.ring import HOLE_BITS, RING_TABLE
from ..engine.callback.hosted import plugin_table
from ..engine.callback.state_table import POSITION_WORDS
from ..engine.ports.plugin import JACK_FIELDS
from .parameters import parameters

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


if __name__ == "__main__":
    print(header(), end="")
