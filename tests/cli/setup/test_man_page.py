"""The manual page: all that the help has, in words that man(7) cannot take for commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import pytest
import typer
from gigmate.cli import boundary, main
from gigmate.cli.setup.man_page import man_page

_MACROS = {".TH", ".SH", ".SS", ".PP", ".TP", ".B"}


def test_the_page_of_gigmate_has_every_verb_and_option() -> None:
    page = man_page(main.app_of(*main.VERBS), "gigmate", "1.2.3")
    assert page.startswith('.TH GIGMATE 1 "" "gigmate 1.2.3"')
    for verb in ("live", "complete", "charts convert", "train codec", "config", "man"):
        assert f"\n.SS gigmate {verb}\n".replace("-", "\\-") in page
    assert "\\fB\\-o, \\-\\-output OUT\\fR" in page and "\\fB\\-\\-set F.yaml\\fR" in page
    assert "GIGMATE_CONFIG_DIR" in page and page.isascii()
    for line in page.splitlines():
        assert line.strip() and line[0] != "'"
        assert line[0] != "." or line.split()[0] in _MACROS, line


def test_no_word_of_the_help_is_a_command_of_man() -> None:
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    def verb(path: Annotated[str, typer.Option(help=".B is no command; a \\ stays, – and 'quotes'")] = "") -> None:
        """'tis the first.

        .SH of the second, which goes on
        on another line.
        """

    page = man_page(app, "verb-er", "1")
    assert ".SH NAME\nverb\\-er \\- \\&'tis the first\n" in page
    assert "\n\\&.SH of the second, which goes on on another line.\n" in page
    assert "\n\\&.B is no command; a \\e stays, \\[u2013] and 'quotes'\n" in page


def test_pages_are_written_for_all_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.run(main.app_of(*main.VERBS), "gigmate", ["man", "--to", str(tmp_path / "man1")]) == 0
    capsys.readouterr()
    written = {path.name: path.read_text() for path in (tmp_path / "man1").iterdir()}
    assert set(written) == {"gigmate.1", "gigmate-live.1", "gigmate-latency.1"}
    assert re.search(r"\\fB\\-\\-start\\-now\\fR\nStart the band at once\.", written["gigmate-live.1"])
    assert boundary.run(main.app_of(*main.VERBS), "gigmate", ["man"]) == 0
    assert capsys.readouterr().out == written["gigmate.1"]


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert boundary.run(main.app_of(*main.VERBS), "gigmate", ["man", "--to", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err
    assert "cannot be written" in said and len(said.strip().splitlines()) == 1
