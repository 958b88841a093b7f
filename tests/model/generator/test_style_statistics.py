"""Styles that nobody taught the generator have a kin among those that it was taught."""

from __future__ import annotations

from gigmate.engine.style_priors import STYLE_PRIORS
from gigmate.model import checkpoint
from gigmate.model.generator.groove_table import shipped
from gigmate.model.generator.style_statistics import KIN, taught
from gigmate.presets.schema import STYLES


def test_every_style_of_a_preset_is_taught_or_has_a_kin_of_its_metre() -> None:
    learnt = checkpoint.read_header(checkpoint.SHIPPED / "generator.safetensors")["config"]["styles"]
    assert set(STYLES) == set(learnt) | set(KIN) == set(shipped().styles)
    for style, kin in KIN.items():
        assert style not in learnt and kin in learnt
        assert 3 not in {STYLE_PRIORS[style].metres[0][0], STYLE_PRIORS[kin].metres[0][0]} or (
            STYLE_PRIORS[style].metres[0] == STYLE_PRIORS[kin].metres[0]
        )


def test_what_is_taught_stands_for_itself() -> None:
    assert taught("cumbia", ("ska", "rock")) == "ska"
    assert taught("cumbia", ("cumbia", "ska")) == "cumbia"
    assert taught("cumbia", ("rock",)) == "cumbia"
    assert taught("polka", ("rock",)) == "polka"
