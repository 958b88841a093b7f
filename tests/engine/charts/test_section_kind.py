"""Names of sections say what kind they are."""

from __future__ import annotations

import pytest
from gigmate.engine.charts.section_kind import BUSIER, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Verse 2", "verse"), ("CHORUS", "chorus"), ("Pre-Chorus", "bridge"), ("Solo chorus", "solo"),
     ("guitar_solo", "solo"),     ("Middle eight", "bridge"),
     ("Refrain", "chorus"), ("Outro", "ending"), ("A", ""), ("", "")],
)  # fmt: skip
def test_kinds(name: str, kind: str) -> None:
    assert kind_of(name) == kind
    assert not kind or kind in BUSIER


def test_a_chorus_is_busier_than_a_verse() -> None:
    assert BUSIER["intro"] < BUSIER["verse"] < BUSIER["bridge"] < BUSIER["solo"] < BUSIER["chorus"]
