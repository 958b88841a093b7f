"""The table of peers, with peers that are scripts of the test: no network, nothing installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import peers
from peer_scores import Answer, chords_at, score, table, told_rows
from peers import Environment, Peer, PeerError, compare, heard_by, installed

BEATS = np.arange(0.0, 40.0, 0.5)
RIGHT, LATE = BEATS.tolist(), (BEATS + 0.25).tolist()
C, A_MINOR = 0, 21


@pytest.fixture
def leads(tmp_path: Path) -> list[Path]:
    """Two songs of the same truth: C and A minor in turn, a half bar each."""
    halves = BEATS[::2]
    chroma = np.zeros((len(halves) - 1, 12))
    chroma[::2, [0, 4, 7]] = 1.0
    chroma[1::2, [9, 0, 4]] = 1.0
    truth = {"beats_s": RIGHT, "downbeats_s": BEATS[::4].tolist(), "halves_s": halves.tolist()}
    for name in ("a", "b"):
        (tmp_path / f"{name}.lead.wav").write_bytes(name.encode())
        (tmp_path / f"{name}.json").write_text(json.dumps({**truth, "chroma": chroma.tolist()}))
    return sorted(tmp_path.glob("*.lead.wav"))


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setattr(peers, "RUNS", folder)
    return folder


def write(scripts: Path, name: str, answer: str) -> None:
    """A peer that answers with this for each lead, and counts how often it is run."""
    (scripts / name).write_text(
        "import json, sys, pathlib\n"
        f"pathlib.Path({str(scripts / 'count')!r}).open('a').write('x')\n"
        f"for lead in sys.argv[1:]:\n    print(json.dumps({{'lead': lead, **{answer}}}))\n"
    )


def test_a_perfect_peer_and_one_half_a_beat_off(leads: list[Path]) -> None:
    chords = [(float(at), C if k % 2 == 0 else A_MINOR) for k, at in enumerate(BEATS[::2])]
    right = Answer(RIGHT, BEATS[::4].tolist(), chords)
    figures = score(leads, {lead.name: right for lead in leads})
    assert figures["right"] == figures["beat_f"] == figures["downbeat_f"] == 1.0
    assert figures["chords"] == pytest.approx(1.0)
    late = score(leads, {"a.lead.wav": Answer(LATE), "b.lead.wav": right})
    assert (late["right"], late["half_beat_off"], late["lost"]) == (0.5, 1, 0)
    double = score(leads, {lead.name: Answer(np.arange(0, 40, 0.25).tolist()) for lead in leads})
    assert double["other_level"] == 2 and double["downbeat_f"] is None and double["chords"] is None


def test_chords_hold_until_the_next() -> None:
    at_s = np.array([0.0, 1.0, 1.5, 3.0])
    assert chords_at([(1.0, C), (2.0, A_MINOR)], at_s).tolist() == [-1, C, C, A_MINOR]
    assert chords_at([], at_s).tolist() == [-1] * 4
    assert told_rows(Answer([])).shape == (0, 3)


def test_the_table_names_what_a_peer_does_not_hear(leads: list[Path]) -> None:
    row = {"peer": "one", "causal": True, **score(leads, {lead.name: Answer(RIGHT) for lead in leads})}
    last = table([row]).splitlines()[-1].split()
    assert last[:4] == ["one", "yes", "1.000", "1.000"] and last[-1] == "-"


def test_answers_are_kept_and_a_peer_that_fails_is_said(leads: list[Path], scripts: Path, tmp_path: Path) -> None:
    write(scripts, "good.py", f"{{'beats_s': {RIGHT}}}")
    (scripts / "bad.py").write_text("raise SystemExit('no such sound')")
    here = Environment("here", (), ())
    folder = tmp_path / "cache"
    good, bad = Peer("good", "good.py", (), here), Peer("bad", "bad.py")
    unhad = Peer("unhad", "good.py", (), Environment("old", ("0.1",), ()))
    mark = installed_as_here(here, folder)
    rows, left_out = compare(leads, [good, bad, unhad], folder)
    assert [row["peer"] for row in rows] == ["good"] and rows[0]["right"] == 1.0
    assert "no such sound" in left_out["bad"] and "Python 0.1" in left_out["unhad"]
    heard_by(good, leads, folder)
    assert (scripts / "count").read_text() == "x", "asked again for what it had answered"
    assert mark.exists()


def test_a_peer_that_hangs_on_a_lead_is_ended_and_said(leads: list[Path], scripts: Path, tmp_path: Path) -> None:
    (scripts / "slow.py").write_text(
        f"import json, sys, time\nprint(json.dumps({{'lead': sys.argv[1], 'beats_s': {RIGHT}}}), flush=True)\n"
        "time.sleep(60)\n"
    )
    rows, left_out = compare(leads, [Peer("slow", "slow.py")], tmp_path / "cache", limit_s=2.0)
    assert rows == [] and "2 s" in left_out["slow"]
    assert len(list((tmp_path / "cache" / "answers" / "slow").glob("*.json"))) == 1, "what it had answered is kept"


def installed_as_here(environment: Environment, folder: Path) -> Path:
    """An environment that is this Python, filled already."""
    with pytest.raises(PeerError):
        installed(environment, folder)  # it names no Python; the folder that it would lie in is now known
    home = folder / "environments" / peers.home_of(environment)
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    (home / "filled").touch()
    return home


def test_a_set_without_leads_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        peers.main([str(tmp_path)])
    assert stopped.value.code == 2 and "holds no NAME.lead.wav" in capsys.readouterr().err
