"""Builds gigmate.lv2: the shell with the machine's C compiler, and the description of its ports for hosts.

Any thread, one at a time for one folder. Raises EngineError for what is missing: one line with the mend.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .library import compile_library, install
from .parameters import Parameter, parameters

URI = "urn:gigmate:band"
NAME = "gigmate.lv2"
LIBRARY = "gigmate.so"
_PREFIXES = """@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix bufsz: <http://lv2plug.in/ns/ext/buf-size#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix midi: <http://lv2plug.in/ns/ext/midi#> .
@prefix opts: <http://lv2plug.in/ns/ext/options#> .
@prefix patch: <http://lv2plug.in/ns/ext/patch#> .
@prefix pg: <http://lv2plug.in/ns/ext/port-groups#> .
@prefix pprops: <http://lv2plug.in/ns/ext/port-props#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix rsz: <http://lv2plug.in/ns/ext/resize-port#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .
@prefix time: <http://lv2plug.in/ns/ext/time#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .
"""
_STATES = ("engine not there", "loading", "ready", "playing", "failed")


def default_folder() -> Path:
    """Where a user's LV2 plug-ins lie."""
    return Path.home() / ".lv2"


def build(folder: Path, command: str) -> Path:
    """Build the bundle into a folder for plug-ins; what stood there is replaced when the new one is whole. Its path."""

    def write(new: Path) -> None:
        compile_library(new / LIBRARY, "lv2", command)
        (new / "manifest.ttl").write_text(manifest(), encoding="utf-8")
        (new / "gigmate.ttl").write_text(description(), encoding="utf-8")

    return install(folder, write, NAME)


def manifest() -> str:
    """The text of manifest.ttl."""
    return (
        "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n"
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n\n"
        f"<{URI}>\n    a lv2:Plugin ;\n    lv2:binary <{LIBRARY}> ;\n    rdfs:seeAlso <gigmate.ttl> .\n"
    )


def description() -> str:
    """The text of gigmate.ttl."""
    return _PREFIXES + _PROPERTIES + _HEAD + ",".join(_numbered(_ports())) + " .\n"


_PROPERTIES = f"""
<{URI}#preset>
    a lv2:Parameter ;
    rdfs:label "Preset by name" ;
    rdfs:comment "The preset where the parameter Preset is at its first value: one that ships, or one of your own" ;
    rdfs:range atom:String .

<{URI}#chart>
    a lv2:Parameter ;
    rdfs:label "Chart" ;
    rdfs:comment "A file with a chord chart, in any format that GigMate reads" ;
    rdfs:range atom:Path .

<{URI}#main> a pg:StereoGroup , pg:OutputGroup ; lv2:symbol "main" ; lv2:name "Band" .
<{URI}#drums> a pg:StereoGroup , pg:OutputGroup ; lv2:symbol "drums" ; lv2:name "Drums" .
<{URI}#bass> a pg:StereoGroup , pg:OutputGroup ; lv2:symbol "bass" ; lv2:name "Bass" .
<{URI}#keys> a pg:StereoGroup , pg:OutputGroup ; lv2:symbol "keys" ; lv2:name "Keys" .
<{URI}#input> a pg:StereoGroup , pg:InputGroup ; lv2:symbol "input" ; lv2:name "You" .
"""

_HEAD = f"""
<{URI}>
    a lv2:Plugin , lv2:GeneratorPlugin ;
    doap:name "GigMate" ;
    doap:license <https://spdx.org/licenses/MIT> ;
    lv2:project [ a doap:Project ; doap:name "GigMate" ; doap:maintainer [ a foaf:Agent ; foaf:name "GigMate" ] ] ;
    rdfs:comment "A band that plays along with you" ;
    lv2:minorVersion 2 ;
    lv2:microVersion 0 ;
    lv2:optionalFeature urid:map , lv2:hardRTCapable , opts:options , state:mapPath , state:freePath ,
        <http://lv2plug.in/ns/ext/log#log> ;
    lv2:extensionData state:interface ;
    opts:supportedOption bufsz:nominalBlockLength , bufsz:maxBlockLength ;
    patch:writable <{URI}#preset> , <{URI}#chart> ;
    pg:mainInput <{URI}#input> ;
    pg:mainOutput <{URI}#main> ;
    lv2:port"""


def _ports() -> list[str]:
    ports = []
    for side in ("left", "right"):
        optional = "" if side == "left" else "lv2:portProperty lv2:connectionOptional"
        ports.append(_audio("InputPort", f"in_{side}", f"In {side}", f"input> ; lv2:designation pg:{side}", optional))
    for bus in ("main", "drums", "bass", "keys"):
        ports += [
            _audio("OutputPort", f"{bus}_{side}", f"{bus.title()} {side}", f"{bus}> ; lv2:designation pg:{side}", "")
            for side in ("left", "right")
        ]
    designated = "lv2:designation lv2:control"
    for kind, symbol, name, supports, more in (
        ("InputPort", "events_in", "MIDI in", "midi:MidiEvent", ""),
        ("OutputPort", "events_out", "Notes and clock", "midi:MidiEvent", ""),
        ("InputPort", "control", "Transport and texts", "time:Position , patch:Message", designated),
        ("OutputPort", "notify", "Texts", "patch:Message", designated),
    ):
        ports.append(
            _port(
                f"a lv2:{kind} , atom:AtomPort",
                f'lv2:symbol "{symbol}" ; lv2:name "{name}"',
                f"atom:bufferType atom:Sequence ; atom:supports {supports}",
                "lv2:portProperty lv2:connectionOptional ; rsz:minimumSize 16384",
                more,
            )
        )
    ports.append(
        _port(
            "a lv2:InputPort , lv2:ControlPort",
            'lv2:symbol "offline" ; lv2:name "Offline"',
            "lv2:designation lv2:freeWheeling ; lv2:portProperty lv2:toggled , pprops:notOnGUI",
            "lv2:default 0.0 ; lv2:minimum 0.0 ; lv2:maximum 1.0",
        )
    )
    ports.append(
        _port(
            "a lv2:OutputPort , lv2:ControlPort",
            'lv2:symbol "latency" ; lv2:name "Latency"',
            "lv2:designation lv2:latency ; lv2:portProperty lv2:reportsLatency , lv2:integer , pprops:notOnGUI",
            "lv2:minimum 0 ; lv2:maximum 192000 ; units:unit units:frame",
        )
    )
    states = _points(_STATES)
    for symbol, name, more in (
        ("state", "Engine", "lv2:portProperty lv2:integer , lv2:enumeration ; lv2:minimum 0 ; lv2:maximum 4 ; "
         f"lv2:scalePoint {states}"),
        ("tempo", "Tempo", "lv2:minimum 0.0 ; lv2:maximum 400.0 ; units:unit units:bpm"),
        ("misses", "Samples missed", "lv2:portProperty lv2:integer ; lv2:minimum 0 ; lv2:maximum 1000000000"),
    ):  # fmt: skip
        ports.append(_port("a lv2:OutputPort , lv2:ControlPort", f'lv2:symbol "{symbol}" ; lv2:name "{name}"', more))
    return ports + [_parameter(one) for one in parameters()]


def _audio(kind: str, symbol: str, name: str, group: str, more: str) -> str:
    rows = [f"a lv2:{kind} , lv2:AudioPort", f'lv2:symbol "{symbol}" ; lv2:name "{name}"', f"pg:group <{URI}#{group}"]
    return _port(*rows, *([more] if more else []))


def _parameter(one: Parameter) -> str:
    properties = {
        "switch": "lv2:toggled",
        "trigger": "lv2:toggled , pprops:trigger",
        "whole": "lv2:integer",
        "choice": "lv2:integer , lv2:enumeration",
        "number": "",
    }[one.kind]
    rows = [
        "a lv2:InputPort , lv2:ControlPort",
        f'lv2:symbol "{one.symbol}" ; lv2:name "{one.name}" ; rdfs:comment "{one.text}"',
        f"lv2:default {one.default:.1f} ; lv2:minimum {one.low:.1f} ; lv2:maximum {one.high:.1f}",
    ]
    if properties:
        rows.append(f"lv2:portProperty {properties}")
    if one.unit:
        rows.append(f"units:unit units:{one.unit}")
    if one.choices:
        rows.append(f"lv2:scalePoint {_points(one.choices)}")
    return _port(*rows)


def _points(names: Iterable[str]) -> str:
    return " , ".join(f'[ rdfs:label "{name}" ; <{_VALUE}> {number} ]' for number, name in enumerate(names))


_VALUE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#value"


def _port(*rows: str) -> str:
    return "[\n        INDEX" + "".join(f" ;\n        {row}" for row in rows if row) + "\n    ]"


def _numbered(ports: list[str]) -> list[str]:
    return [f" {port.replace('INDEX', f'lv2:index {number}', 1)}" for number, port in enumerate(ports)]
