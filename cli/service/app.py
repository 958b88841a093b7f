"""The HTTP half of the server: /predict, /jobs, /presets, /health. Event loop; the work is done in jobs' threads.

FastAPI reads the annotations of the handlers, some of which are local: so they are not put off here.
"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Depends, FastAPI, File, Form, HTTPException, Query, Request, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException as PlainHTTPException

from ... import __version__
from ...engine.charts.chart import ChartError
from ...engine.errors import ConfigError, EngineError
from ...engine.player import PARTS
from ...presets.loader import load_preset, preset_names
from ...presets.strict import nearest
from ...sheets.library import MOST_FILE_BYTES
from ..complete import parse_ahead, parse_channels, parse_parts
from ..complete_job import Completion
from .jobs import NOTES, RESULT, SOURCE, Asked, GivenChart, Job, Jobs, status_of
from .service import Service
from .service_limits import Limits
from .spool import Full
from .upload_guard import RETRY_AFTER_S, Door
from .watch.health import add_health, add_page
from .watch.load import Load

if TYPE_CHECKING:
    from ...band import Band

_POLL_S = 0.1
_FIELDS = (
    "request", "output_length_in_seconds", "preset", "parts", "mix", "accompany", "wait", "sound", "seed", "ahead",
    "input", "chart", "chart_file", "chart_start",
)  # fmt: skip
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {"audio/wav": {}, "audio/midi": {}}}}


class _Result(FileResponse):
    """A job's WAV or MIDI file; whatever becomes of the sending, the job goes if nobody can ask for it again."""

    def __init__(self, job: Job, jobs: Jobs, once: bool) -> None:
        outcome = job.outcome
        headers = {}
        if outcome.get("ahead_frames") is not None:
            headers["X-Gigmate-Ahead-Frames"] = str(outcome["ahead_frames"])
        if outcome.get("remarks"):  # a name may hold what no header may
            headers["X-Gigmate-Remark"] = "; ".join(outcome["remarks"]).encode("ascii", "replace").decode()
        name = job.result.name
        kind = "audio/midi" if name == NOTES else "audio/wav"
        super().__init__(job.result, media_type=kind, filename=name, headers=headers)
        self._job, self._jobs, self._once = job, jobs, once

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._once:
                self._jobs.remove(self._job)


def create_app(
    band: "Band", limits: Limits | None = None, token: str | None = None, service: Service | None = None
) -> Door:
    """The whole server as an ASGI app, around a loaded band. `service`: what it shares with other processes."""
    from .websockets import Streams

    limits = limits or Limits()
    service = service or Service(Load(most=limits.streams))
    jobs = Jobs(band, limits, service.spool, service.job_workers, service.load.give_way)
    streams = Streams(band, limits, token, service.load)

    async def leave(within_s: float) -> None:
        """Nothing new; streams are told, and files go on, as long as there is time."""
        service.leaving = True
        end_s = time.monotonic() + within_s
        jobs.rest()
        await streams.leave(within_s)
        while jobs.has_work and time.monotonic() < end_s:
            await asyncio.sleep(_POLL_S)

    service.leave = leave

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
    _add_files(app, jobs, limits, service)
    add_health(app, jobs, limits, service)
    add_page(app)

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

    return Door(app, limits, token, service)


async def _sweep(jobs: Jobs) -> None:
    while True:
        await asyncio.sleep(30)
        await asyncio.to_thread(jobs.sweep)


def _answer_errors(app: FastAPI) -> None:
    """Every error is {"error": one line}."""

    async def ours(request: Request, error: Exception) -> JSONResponse:
        status = status_of(error)
        headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
        return JSONResponse({"error": " ".join(str(error).split())}, status, headers)

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


async def _names(request: Request) -> None:
    """Raise HTTPException for a field that there is not: it would be left out without a word."""
    form = await request.form()
    for given, known in ((form, _FIELDS), (request.query_params, ("format",))):
        for name in given:
            if name not in known:
                line = f"there is no field {name[:60]!r}{nearest(name, known)}: fields are {', '.join(known)}"
                raise HTTPException(422, line)


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
) -> Asked:
    if preset not in preset_names():
        raise ConfigError(f"no preset {preset[:60]!r}: presets are {', '.join(preset_names())}")
    given = _chart(chart, chart_file)
    completion = Completion(
        source=Path(SOURCE),
        target=Path(RESULT) if answer == "wav" else None,
        midi=Path(NOTES) if answer == "midi" else None,
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
        chart=None if given is None else given.read(),
        chart_start_s=chart_start,
    )
    return Asked(completion, given)


def _chart(text: str | None, file: UploadFile | None) -> GivenChart | None:
    """The chart of a request, from the text or the file. Raises ChartError for both."""
    if file is None:
        return GivenChart(text.encode(), None) if text else None
    if text:
        raise ChartError("chart and chart_file: give one of them")
    data = file.file.read(MOST_FILE_BYTES + 1)
    if len(data) > MOST_FILE_BYTES:
        raise ChartError(f"chart_file: more than {MOST_FILE_BYTES // 1_000_000} MB: is this a chart?")
    return GivenChart(data, file.filename or "")


_Upload = Annotated[
    UploadFile,
    File(description="The sound: WAV, FLAC, OGG or MP3; with the extra `files` M4A, WavPack, WebM and more."),
]
_Wanted = Annotated[Asked, Depends(_wanted)]


def _add_files(app: FastAPI, jobs: Jobs, limits: Limits, service: Service) -> None:
    """/predict and /jobs take the same fields."""

    async def begin(upload: UploadFile, asked: Asked, most_s: float) -> Job:
        if service.leaving:
            raise Full("this server is about to end: try again later")
        completion = replace(asked.completion, most_s=most_s, most_bytes=limits.result_bytes)
        completion.check()
        try:
            job = jobs.new()
        except Full:
            service.load.counters.add("refusals", 1, what="file")
            raise
        try:
            await asyncio.to_thread(_copy, upload, job.folder / SOURCE)
            await asyncio.to_thread(jobs.start, job, replace(asked, completion=completion))
        except BaseException:
            jobs.remove(job)
            raise
        return job

    @app.post("/predict", response_class=FileResponse, responses=_ANSWERS, dependencies=[Depends(_names)])
    async def predict(http: Request, request: _Upload, asked: _Wanted) -> Any:
        """The band's answer to a sound file, as a WAV or a MIDI file. Ends with the connection."""
        job = await begin(request, asked, limits.predict_s)
        try:
            while not job.ended:
                if await http.is_disconnected():
                    raise HTTPException(499, "the client has gone")
                await asyncio.sleep(_POLL_S)
            return _answer_of(job, jobs, once=True)
        except BaseException:
            jobs.remove(job)
            raise

    @app.post("/jobs", status_code=202, dependencies=[Depends(_names)])
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
        return _answer_of(known(job_id), jobs, once=False)

    @app.delete("/jobs/{job_id}", status_code=204)
    async def remove_job(job_id: str) -> None:
        """Cancel it, or forget its result."""
        await asyncio.to_thread(jobs.remove, known(job_id))


def _answer_of(job: Job, jobs: Jobs, once: bool) -> _Result:
    """What was made of it. Raises HTTPException where that went wrong, or is not ready."""
    outcome = job.outcome
    if "error" in outcome:
        status = int(outcome["status"])
        headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
        raise HTTPException(status, outcome["error"], headers)
    if outcome["state"] != "done":
        raise HTTPException(409, f"the job is {outcome['state']}")
    return _Result(job, jobs, once)


def _copy(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file, 2**20)
