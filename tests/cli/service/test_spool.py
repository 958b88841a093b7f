"""The queue in a folder: bounded, in order, never lost and never twice, whoever dies."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from gigmate.cli.service.spool import CANCEL, DONE, Full, Spool, read_json


def queued(spool: Spool, most: int = 100) -> str:
    folder = spool.new(most, 100)
    (folder / "request").write_bytes(b"x")
    spool.start(folder)
    return folder.name


def test_first_come_first_served_and_no_more_than_was_allowed(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    made = [queued(spool, 3) for _ in range(3)]
    with pytest.raises(Full, match="3 files"):
        spool.new(3, 100)
    works = [spool.claim() for _ in made]
    assert [work.id for work in works if work is not None] == made
    assert spool.claim() is None
    assert spool.counts() == {"waiting": 0, "working": 3, "done": 0, "failed": 0}
    for work in works:
        assert work is not None
        spool.finish(work, {"state": "done", "seconds": 1.0})
    with pytest.raises(Full, match="3 results"):
        spool.new(3, 3)
    spool.sweep(keep_s=3600)
    assert spool.counts()["done"] == 3
    spool.sweep(keep_s=-1)
    assert spool.counts()["done"] == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_each_piece_goes_to_one_of_many(tmp_path: Path) -> None:
    made = [queued(Spool(tmp_path)) for _ in range(60)]
    taken: list[str] = []

    def take(name: str) -> None:
        spool = Spool(tmp_path, name)
        while (work := spool.claim()) is not None:
            taken.append(work.id)
            spool.finish(work, {"state": "done"})

    threads = [threading.Thread(target=take, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == sorted(made)


def test_what_a_dead_worker_did_waits_again_but_not_for_ever(tmp_path: Path) -> None:
    """What was finished in the last moment is not done again; what it was being sent is dropped."""
    front, worker = Spool(tmp_path), Spool(tmp_path, "w")
    lost, done = queued(front), queued(front)
    first, second = worker.claim(), worker.claim()
    assert first is not None and second is not None and (first.id, second.id) == (lost, done)
    (second.folder / DONE).write_text('{"state": "done"}')  # and then it died
    coming = worker.new(100, 100)
    assert front.died("w") == 1
    assert not coming.exists()
    assert front.state(first.folder) == "waiting" and front.state(second.folder) == "done"
    again = worker.claim()
    assert again is not None and again.id == lost
    assert front.all_died() == 0
    assert (read_json(first.folder / DONE) or {})["state"] == "failed"
    assert front.counts() == {"waiting": 0, "working": 0, "done": 1, "failed": 1}


def test_cancelled_while_it_waits_and_while_it_is_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    waiting = tmp_path / queued(spool)
    spool.remove(waiting)
    assert not waiting.exists() and spool.claim() is None
    queued(spool)
    work = spool.claim()
    assert work is not None
    spool.remove(work.folder)
    assert (work.folder / CANCEL).exists(), "whoever works on it sees the mark"
    spool.finish(work, {"state": "done"})
    assert not work.folder.exists() and not work.ticket.exists()


def test_given_back_it_comes_before_what_came_later(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    first = queued(spool)
    work = spool.claim()
    assert work is not None
    queued(spool)
    spool.give_back(work)
    again = spool.claim()
    assert again is not None and again.id == first


@pytest.mark.parametrize("name", ["", ".", "../../etc/passwd", "queue", "a" * 16 + "/..", "x" * 17, "coming"])
def test_names_that_are_no_ids(tmp_path: Path, name: str) -> None:
    assert Spool(tmp_path).folder(name) is None
