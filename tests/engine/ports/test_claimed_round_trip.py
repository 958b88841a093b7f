"""A round trip that is claimed to have become shorter is noticed; a new connection or block is no fall."""

from __future__ import annotations

from gigmate.engine.ports.claimed_round_trip import ClaimedRoundTrip

WAY = (48_000, 1024)


def test_a_claim_that_falls_for_good_is_noticed_once() -> None:
    claim = ClaimedRoundTrip()
    seen = [claim.see(4096 if at_s < 5 else 1024, WAY, float(at_s)) for at_s in range(12)]
    assert [fall for fall in seen if fall is not None] == [(4096, 1024)]
    assert seen.index((4096, 1024)) == 7


def test_connections_that_are_drawn_anew_and_other_blocks_are_no_fall() -> None:
    claim = ClaimedRoundTrip()
    assert claim.see(4096, WAY, 0.0) is None
    assert claim.see(0, WAY, 1.0) is None
    assert claim.see(4096, WAY, 2.5) is None
    assert claim.see(0, WAY, 3.0) is None, "a fall begins anew"
    assert claim.see(512, (48_000, 128), 9.0) is None
    assert claim.see(512, (48_000, 128), 20.0) is None
