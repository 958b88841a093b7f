"""XML and MXL from anywhere: read to a tree with bounds on size, depth and count, and without any entity of its own.

A document that declares entities is refused before one is expanded; nothing outside the file is ever fetched.
Pure functions, any thread.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from .sheet import SheetError

MOST_BYTES = 64_000_000
MOST_ELEMENTS = 2_000_000
MOST_DEPTH = 64
MOST_FILES = 200
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError)
"""What zipfile raises for bytes that are no archive, or one that it does not know."""
_CONTAINER = "META-INF/container.xml"


def parse_xml(data: bytes) -> Element:
    """The document's root. Raises SheetError: damaged, too large, or with entities of its own."""
    if len(data) > MOST_BYTES:
        raise SheetError(f"more than {MOST_BYTES // 1_000_000} MB of XML: is this one song?")
    builder = TreeBuilder()
    depth, count = 0, 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MOST_DEPTH or count > MOST_ELEMENTS:
            raise SheetError("its XML is nested too deeply, or has too many elements for one song")
        builder.start(name.rpartition("}")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition("}")[2])

    def refuse(*_: object) -> None:
        raise SheetError("its XML declares entities, which no music program writes: it is not read")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = lambda *_: 0
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise SheetError(f"damaged XML in line {error.lineno}: save the file again") from None
    except (LookupError, ValueError) as error:
        raise SheetError(f"XML that cannot be read ({' '.join(str(error).split())[:60]})") from None
    return builder.close()


def unpack_mxl(data: bytes) -> bytes:
    """The score in a compressed file. Raises SheetError for what is none, and for what would be too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            if len(infos) > MOST_FILES:
                raise SheetError(f"{len(infos)} files in a compressed score: it is not read")
            name = _score_name(_member(archive, infos, _CONTAINER) if _CONTAINER in infos else b"", infos)
            return _member(archive, infos, name)
    except _DAMAGED as error:
        raise SheetError(f"a damaged compressed file ({' '.join(str(error).split())[:60]})") from None


def _score_name(container: bytes, infos: dict[str, zipfile.ZipInfo]) -> str:
    if container:
        for root in parse_xml(container).iter("rootfile"):
            name = root.get("full-path", "")
            if name in infos:
                return name
    for name in infos:
        if name.lower().endswith((".xml", ".musicxml")) and not name.startswith("META-INF"):
            return name
    raise SheetError("a compressed file without a score: export it again as MXL or MusicXML")


def _member(archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    """One file, of no more than may be, whatever size its head claims."""
    with archive.open(infos[name]) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SheetError(f"more than {MOST_BYTES // 1_000_000} MB when it is unpacked: it is not read")
    return data
