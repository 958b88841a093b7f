"""Whether a text is a link of iReal Pro: asked at each start, so without the readers. Any thread."""

from __future__ import annotations

import re


def is_link(text: str) -> bool:
    """Whether the text is a link of iReal Pro."""
    return re.match(r"\s*irealb(ook)?://", text) is not None
