"""Where training figures are logged: JSON lines always, TensorBoard and ClearML if asked.

Knows no model. Main thread only.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Protocol

from ..files.json_text import json_text
from .errors import TrainingError

Figures = dict[str, Any]


class Sink(Protocol):
    """Takes the figures of one step."""

    def write(self, step: int, figures: Figures) -> None: ...

    def close(self) -> None: ...


class JsonLines:
    """One line a report, appended to `path`, so that a training that was killed loses none that was written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def cut(self, step: int) -> None:
        """Drop the lines of steps after `step`: they are about to be made again by a training that goes on there."""
        if not self.path.exists():
            return
        kept = [line for line in self.path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step]
        part = self.path.with_suffix(".part")
        part.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        part.replace(self.path)

    def write(self, step: int, figures: Figures) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json_text({"step": step, **figures}) + "\n")

    def close(self) -> None:
        """Every line is on its way already."""


class TensorBoard:
    """Event files in `folder`. Raises TrainingError where tensorboard is not installed."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "tensorboard is missing: pip install 'gigmate[train]', or leave --tensorboard out"
            ) from error
        self._writer = SummaryWriter(str(folder))  # type: ignore[no-untyped-call]

    def write(self, step: int, figures: Figures) -> None:
        for name, value in figures.items():
            if isinstance(value, (int, float)):
                self._writer.add_scalar(name, value, step)  # type: ignore[no-untyped-call]
        self._writer.flush()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._writer.close()  # type: ignore[no-untyped-call]


class ClearMl:
    """A task of a ClearML project. With CLEARML_OFFLINE_MODE=1 in the environment nothing leaves the machine.

    Raises TrainingError where clearml is not installed or its server cannot be reached.
    """

    def __init__(self, project: str, name: str, settings: dict[str, Any]) -> None:
        try:
            from clearml import Task
        except ImportError as error:
            raise TrainingError("clearml is missing: pip install 'gigmate[train]', or leave --clearml out") from error
        # else it reads every file of the checkout, its .venv too, to guess what is installed: a minute and more
        Task.force_requirements_env_freeze(force=True)
        try:
            self._task: Any = Task.init(
                project_name=project,
                task_name=name,
                reuse_last_task_id=False,
                auto_connect_arg_parser=False,
                auto_connect_frameworks=False,
                auto_resource_monitoring=False,
                auto_connect_streams=False,
                output_uri=False,
            )
        except (OSError, ValueError) as error:
            raise TrainingError(f"ClearML cannot be reached ({error}): run `clearml-init`, or set "
                                "CLEARML_OFFLINE_MODE=1") from error  # fmt: skip
        self._task.connect(settings, name="settings")

    def write(self, step: int, figures: Figures) -> None:
        logger = self._task.get_logger()
        for name, value in figures.items():
            if isinstance(value, (int, float)) and math.isfinite(value):
                logger.report_scalar(title=name, series=name, value=float(value), iteration=step)

    def close(self) -> None:
        self._task.close()


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):  # a line that a kill cut in the middle
        return 2**62
