"""What ends with its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from gigmate.control.osc import Osc


@pytest.fixture
def opened() -> Iterator[Callable[..., Osc]]:
    all_of_them: list[Osc] = []

    def start(*arguments, **named) -> Osc:  # type: ignore[no-untyped-def]
        all_of_them.append(Osc(*arguments, **named))
        return all_of_them[-1]

    yield start
    for one in all_of_them:
        one.close()
        one.close()
