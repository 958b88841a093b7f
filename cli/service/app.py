"""The HTTP half of the server: /predict, /jobs, /presets, /health. Event loop; the work is done in jobs' threads.

FastAPI reads the annotations of the handlers, some of which are local: so they are not put off here.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Depends, FastAPI, File, Form, HTTPException, Query, Request, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException as PlainHTTPException

from ... import __version__
from ...engine.charts.chart import Chart, ChartError
from ...engine.errors import ConfigError, EngineError
from ...engine.player import PARTS
from ...presets.loader import load_preset, preset_names
from ...sheets.library import MOST_FILE_BYTES, chart_of_bytes, chart_of_text
from ..complete import parse_ahead, parse_channels, parse_parts
from ..complete_job import Completion
from ..sound_files import NoSound, TooLong
from .jobs import Full, Job, Jobs
from .service_limits import Limits
from .upload_guard import Door

if TYPE_CHECKING:
    from ...band import Band

_POLL_S = 0.1
_RESULT = "band.wav"
_NOTES = "band.mid"
_SOURCE = "request"
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {"audio/wav": {}, "audio/midi": {}}}}


class _Result(FileResponse):
    """A job's WAV or MIDI file; whatever becomes of the sending, the job goes if nobody can ask for it again."""

    def __init__(self, job: Job, jobs: Jobs, once: bool) -> None:
        result = job.result
        headers = {} if result is None else {"X-Gigmate-Ahead-Frames": str(result.ahead_frames)}
        if result is not None and result.remarks:  # a name may hold what no header may
            headers["X-Gigmate-Remark"] = "; ".join(result.remarks).encode("ascii", "replace").decode()
        name = _NOTES if (job.folder / _NOTES).exists() else _RESULT
        kind = "audio/midi" if name == _NOTES else "audio/wav"
        super().__init__(job.folder / name, media_type=kind, filename=name, headers=headers)
        self._job, self._jobs, self._once = job, jobs, once

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._once:
                self._jobs.remove(self._job)


def status_of(error: Exception) -> int:
    """The HTTP status that says what is wrong."""
    if isinstance(error, TooLong):
        return 413
    if isinstance(error, NoSound):
        return 415
    if isinstance(error, ConfigError):
        return 400
    return 503 if isinstance(error, Full) else 500


def create_app(band: "Band", limits: Limits | None = None, token: str | None = None) -> Any:
    """The whole server as an ASGI app, around a loaded band."""
    from .websockets import Streams

    limits = limits or Limits()
    jobs = Jobs(band, limits)
    streams = Streams(band, limits, token)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(_sweep(jobs))
        try:
            yield
        finally:
            sweeper.cancel()
            await asyncio.to_thread(jobs.close)
            streams.close()

    app = FastAPI(title="GigMate", version=__version__, lifespan=lifespan)
    _answer_errors(app)
    _add_files(app, jobs, limits)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Whether it lives, what it does, and what it allows."""
        return {
            "status": "ok",
            "gigmate": __version__,
            "parts": list(PARTS),
            "streams": streams.count,
            "jobs": jobs.counts,
            "limits": limits.shown(),
        }

    @app.get("/presets")
    async def presets() -> list[dict[str, Any]]:
        """The presets that ship."""
        return [
            {"name": name, "title": (preset := load_preset(name)).name, "description": preset.description,
             "style": preset.style}
            for name in preset_names()
        ]  # fmt: skip

    @app.websocket("/stream")
    async def stream(socket: WebSocket) -> None:
        await streams.stream(socket)

    @app.websocket("/player")
    async def player(socket: WebSocket) -> None:
        await streams.player(socket)

    return Door(app, limits, token)


async def _sweep(jobs: Jobs) -> None:
    while True:
        await asyncio.sleep(30)
        await asyncio.to_thread(jobs.sweep)


def _answer_errors(app: FastAPI) -> None:
    """Every error is {"error": one line}."""

    async def ours(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": " ".join(str(error).split())}, status_of(error))

    async def theirs(request: Request, error: Exception) -> JSONResponse:
        status = error.status_code if isinstance(error, PlainHTTPException) else 500
        text = error.detail if isinstance(error, PlainHTTPException) else "failed"
        headers = error.headers if isinstance(error, PlainHTTPException) else None
        return JSONResponse({"error": str(text)}, status, headers)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        findings = error.errors() if isinstance(error, RequestValidationError) else []
        first = findings[0] if findings else {"loc": ("?",), "msg": "invalid"}
        where = ".".join(str(step) for step in first["loc"][1:]) or "request"
        return JSONResponse({"error": f"{where}: {str(first['msg'])[:200]}"}, 422)

    app.add_exception_handler(EngineError, ours)
    app.add_exception_handler(PlainHTTPException, theirs)
    app.add_exception_handler(RequestValidationError, invalid)


def _wanted(
    output_length_in_seconds: Annotated[
        float | None, Form(description="Length of the answer; beyond the sound's end the band goes on.")
    ] = None,
    preset: Annotated[str, Form()] = "rock",
    parts: Annotated[str, Form(description="Names with commas.")] = ",".join(PARTS),
    mix: Annotated[bool, Form(description="The sound itself is in the answer as well.")] = False,
    accompany: Annotated[bool, Form(description="false: the band comes in only after the end.")] = True,
    wait: Annotated[bool, Form(description="true: the band comes in when it finds a beat, as on stage.")] = False,
    sound: Annotated[str | None, Form(description="neural, instruments, or by part: keys=rhodes.")] = None,
    seed: Annotated[int, Form(ge=0, lt=2**63)] = 0,
    ahead: Annotated[str, Form(description="Frames, or live.")] = "1",
    channels: Annotated[
        str | None,
        Form(alias="input", description="Channels heard, from 1, such as 1 or 1,2; else the mean of all."),
    ] = None,
    chart: Annotated[
        str | None, Form(description="Chords, such as | Am | F | C G |, or the text of a chart in any format.")
    ] = None,
    chart_file: Annotated[
        UploadFile | None, File(description="The same as a file: of MIDI, MXL or any other format of charts.")
    ] = None,
    answer: Annotated[
        Literal["wav", "midi"], Query(alias="format", description="midi: the notes as a MIDI file, no sound.")
    ] = "wav",
    chart_start: Annotated[
        float | None, Form(description="Seconds to the chart's first bar; else the first downbeat is found.")
    ] = None,
) -> Completion:
    if preset not in preset_names():
        raise ConfigError(f"no preset {preset[:60]!r}: presets are {', '.join(preset_names())}")
    return Completion(
        source=Path(_SOURCE),
        target=Path(_RESULT) if answer == "wav" else None,
        midi=Path(_NOTES) if answer == "midi" else None,
        parts=parse_parts(parts),
        with_source=mix,
        input_channels=None if not channels else parse_channels("input", channels),
        output_length_s=output_length_in_seconds,
        play_along=accompany,
        wait=wait,
        preset=preset,
        sound=sound or None,
        seed=seed,
        ahead_frames=parse_ahead(ahead),
        chart=_chart(chart, chart_file),
        chart_start_s=chart_start,
    )


def _chart(text: str | None, file: UploadFile | None) -> Chart | None:
    """The chart of a request, from the text or the file. Raises ChartError for both, or for what is none."""
    if file is None:
        return chart_of_text(text) if text else None
    if text:
        raise ChartError("chart and chart_file: give one of them")
    data = file.file.read(MOST_FILE_BYTES + 1)
    if len(data) > MOST_FILE_BYTES:
        raise ChartError(f"chart_file: more than {MOST_FILE_BYTES // 1_000_000} MB: is this a chart?")
    return chart_of_bytes(data, file.filename or "", "chart_file")


_Upload = Annotated[
    UploadFile,
    File(description="The sound: WAV, FLAC, OGG or MP3; with the extra `files` M4A, WavPack, WebM and more."),
]
_Wanted = Annotated[Completion, Depends(_wanted)]


def _add_files(app: FastAPI, jobs: Jobs, limits: Limits) -> None:
    """/predict and /jobs take the same fields."""

    async def begin(upload: UploadFile, asked: Completion, most_s: float) -> Job:
        asked = replace(asked, most_s=most_s, most_bytes=limits.result_bytes)
        asked.check()
        job = jobs.new()
        try:
            await asyncio.to_thread(_copy, upload, job.folder / _SOURCE)
        except BaseException:
            jobs.remove(job)
            raise
        jobs.start(job, asked)
        return job

    @app.post("/predict", response_class=FileResponse, responses=_ANSWERS)
    async def predict(http: Request, request: _Upload, asked: _Wanted) -> Any:
        """The band's answer to a sound file, as a WAV or a MIDI file. Ends with the connection."""
        job = await begin(request, asked, limits.predict_s)
        try:
            while not job.ended.is_set():
                if await http.is_disconnected():
                    raise HTTPException(499, "the client has gone")
                await asyncio.sleep(_POLL_S)
            if job.error is not None:
                raise job.error
            return _Result(job, jobs, once=True)
        except BaseException:
            jobs.remove(job)
            raise

    @app.post("/jobs", status_code=202)
    async def new_job(request: _Upload, asked: _Wanted) -> dict[str, Any]:
        """The same for long files: answers at once with an id to ask for."""
        return (await begin(request, asked, limits.job_s)).shown()

    _add_jobs(app, jobs)


def _add_jobs(app: FastAPI, jobs: Jobs) -> None:
    """What was begun is asked for by its id."""

    def known(job_id: str) -> Job:
        job = jobs.get(job_id)
        if job is None:
            raise HTTPException(404, "there is no such job (any longer)")
        return job

    @app.get("/jobs/{job_id}")
    async def show_job(job_id: str) -> dict[str, Any]:
        """How far it is."""
        return known(job_id).shown()

    @app.get("/jobs/{job_id}/result", response_class=FileResponse)
    async def job_result(job_id: str) -> Any:
        """The WAV or the MIDI file of a job that is done."""
        job = known(job_id)
        if job.error is not None:
            raise HTTPException(status_of(job.error), " ".join(str(job.error).split()))
        if job.state != "done":
            raise HTTPException(409, f"the job is {job.state}")
        return _Result(job, jobs, once=False)

    @app.delete("/jobs/{job_id}", status_code=204)
    async def remove_job(job_id: str) -> None:
        """Cancel it, or forget its result."""
        await asyncio.to_thread(jobs.remove, known(job_id))


def _copy(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file, 2**20)
