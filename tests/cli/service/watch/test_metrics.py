"""The text for Prometheus: its form, names that end as they should, sums over processes, histograms that add up."""

from __future__ import annotations

import re

from gigmate.cli.service.watch.metrics import SHARES, Counters, key_of, rendered, summed

SAMPLE = re.compile(r'gigmate_[a-z_]+(\{[a-z]+="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*\})? [-+0-9.e]+(inf)?')


def lines_of(text: str) -> dict[str, float]:
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


def test_every_line_is_one_that_prometheus_reads() -> None:
    counters = Counters()
    counters.add("refusals", 2, what="stream")
    counters.add("requests", 1, status=200)
    counters.observe("piece_share", 0.3)
    text = rendered(counters.values(), {"streams": 3, key_of("jobs", state='a "b"\n\\'): 1})
    assert text.endswith("\n")
    typed = []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.append(line.split()[2])
        elif not line.startswith("# HELP "):
            assert SAMPLE.fullmatch(line), line
            assert line.startswith(typed[-1]), "samples stand below their own family"
    assert len(typed) == len(set(typed)), "each family once"


def test_sums_of_several_processes() -> None:
    one, other = Counters(), Counters()
    for counters, values in ((one, (0.05, 0.3)), (other, (0.3, 7.0))):
        counters.add("streams_begun", len(values))
        for value in values:
            counters.observe("piece_share", value)
    lines = lines_of(rendered(summed([one.values(), other.values(), {}]), {}))
    assert lines["gigmate_streams_begun_total"] == 4
    buckets = [lines[f'gigmate_piece_share_bucket{{le="{bound}"}}'] for bound in (*SHARES, "+Inf")]
    assert buckets == sorted(buckets) and buckets[0] == 1 and buckets[2] == 3 and buckets[-1] == 4
    assert lines["gigmate_piece_share_count"] == 4
    assert abs(lines["gigmate_piece_share_sum"] - 7.65) < 1e-6
