"""Two bands in two processes on Ableton Link: what is heard of both is on the session's beat."""

from __future__ import annotations

import shutil

import pytest

from .link_phase import measure


@pytest.mark.slow
@pytest.mark.jack
@pytest.mark.timeout(300)
def test_two_bands_are_heard_on_the_sessions_beat() -> None:
    pytest.importorskip("aalink")
    if shutil.which("jackd") is None:
        pytest.skip("no jackd here: apt install jackd2")
    phases = measure(6.0)
    assert min(len(clicks) for clicks in phases.of_bands) >= 6 and len(phases.apart) >= 4
    assert phases.worst_ms <= 3.0
