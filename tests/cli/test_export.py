"""`gigmate export`: requests that cannot be, and the file of one that can."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.cli import boundary, main


def run(*arguments: object) -> int:
    return boundary.run(main.app, "gigmate", ["export", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--torchscript", "band.ts", "--rate", "44056"], 2, "--rate"),
        (["--torchscript", "band.ts", "--rate", "11025"], 2, "--rate"),
        (["--torchscript", "no/band.ts"], 1, "does not exist"),
        (["--torchscript", "band.ts", "--weights", "nowhere"], 1, "no such"),
        ([], 2, "--torchscript"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], code: int, word: str, tmp_path: Path, tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    if arguments and "--weights" not in arguments:
        arguments = [*arguments, "--weights", str(tiny_weights)]
    assert run(*arguments) == code
    printed = capsys.readouterr().err.strip()
    assert word in printed
    assert "\n" not in printed
    assert not list(tmp_path.iterdir())


def test_the_file_is_written_whole(tmp_path: Path, tiny_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "band.ts"
    assert run("--torchscript", target, "--weights", tiny_weights, "--int8", "--rate", 44_100) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["band.ts"]
    assert "tempo_bpm" in capsys.readouterr().out
