"""What `gigmate bench` says first: whether the band can play here, from the figures that follow."""

from __future__ import annotations

import pytest
from gigmate.cli.bench.bench_verdict import verdict_of


def model(p50: float, p99: float) -> dict[str, object]:
    return {"machine": {}, "model": {"frame_ms": 40.0, "step_ms": {"p50": p50, "p99": p99, "p99.9": 2 * p99}}}


def streams(asked: int, factor: float) -> dict[str, object]:
    return {"machine": {}, "streams": {"streams": asked, "real_time_factor": factor}}


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        (model(8.0, 10.0), "5.0 times real time: plays with 75 % to spare"),
        (model(8.0, 39.9), "5.0 times real time: plays with 0 % to spare"),
        (model(20.0, 40.0), "2.0 times real time: plays, but every now and then misses a frame: close other programs"),
        (model(40.0, 41.0), "1.0 times real time: cannot play live: close other programs"),
        (model(80.0, 90.0), "0.5 times real time: cannot play live: close other programs"),
        (streams(4, 5.0), "5.0 times real time together: plays 4 at once with 20 % to spare"),
        (streams(8, 5.2), "5.2 times real time together: cannot play 8 at once, but 5"),
        (streams(2, 0.7), "0.7 times real time together: cannot play 2 at once"),
    ],
)
def test_one_line_says_whether_it_plays(figures: dict[str, object], line: str) -> None:
    said = verdict_of(figures)
    assert said.startswith(line) and "\n" not in said
    assert said == line or line.endswith("close other programs")
