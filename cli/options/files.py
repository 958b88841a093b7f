"""Options of verbs that write files."""

from __future__ import annotations

from typing import Annotated

import typer

ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Write over files that are there, without asking.")]
