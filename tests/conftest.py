"""Fixtures that more than one directory needs: a private JACK server that belongs to the test alone."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import platformdirs
import pytest

# One thread a process: several workers share the cores, and threads that wait for each other burn them.
for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(library, "1")

# Each worker has a cache of its own for what other libraries compile: with one for all of them a run left code in that
# of librosa 0.11.0 (numba 0.68.1, four workers) that crashed every process which read it. The cause was not found.
if "PYTEST_XDIST_WORKER" in os.environ:
    cache = Path(platformdirs.user_cache_dir("gigmate-tests", appauthor=False)) / os.environ["PYTEST_XDIST_WORKER"]
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))

# A busy machine is no fault of what is tested.
hypothesis.settings.register_profile("gigmate", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("gigmate")


if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a run in the background: programs of the tests would ignore it too
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What all tests have imported, half a million objects, is left out of collections: each run of the engine begins
    with one, which took 0.3 s of it all.
    """
    gc.collect()
    gc.freeze()


IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


_SLOTS = 6
_ATTEMPTS = 8


def _die_with_parent() -> None:
    """In the child, before exec: a test run that is killed takes its servers along (Linux)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _take_slot(slot: int) -> Path | None:
    """A lock file that says that this run uses the server's name; None while another living run does."""
    lock = Path(tempfile.gettempdir()) / f"gigmate-jack-{slot}.lock"
    try:
        owner = int(lock.read_text() or 0)
    except (FileNotFoundError, ValueError):
        owner = 0
    if owner and _is_running(owner):
        return None
    lock.unlink(missing_ok=True)
    try:
        with lock.open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return None
    return lock


def _forget_dead_servers() -> None:
    """Where no jackd runs at all, names that dead ones left in libjack's registry, which holds eight, are nobody's."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "comm").read_text().startswith("jackd") and _is_alive(int(folder.name)):
                return
    for left in (Path("/dev/shm/jack-shm-registry"), *Path("/dev/shm").glob(f"jack-{os.geteuid()}-*")):
        with contextlib.suppress(OSError):
            left.unlink()


class JackServer:
    """A dummy jackd of our own: `name`, `environment` for clients, `kill()`.

    Names are used again: libjack's registry holds eight, and one that crashed gives its place back only to itself.
    """

    def __init__(self, rate_hz: int = 48000, block_samples: int = 128, loopback: int = 0) -> None:
        """`loopback`: so many channels of a client "loopback" that plays back what is sent to it, a block later."""
        self.rate_hz = rate_hz
        self.block_samples = block_samples
        self.loopback = loopback
        self._process: subprocess.Popen[bytes] | None = None
        self._crashed = self._stopped = False
        self.said: list[str] = []
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(2.0)  # the shared registry may be held for a moment, by a server that a test has just killed
            if any(self._began(slot) for slot in range(_SLOTS)):
                return
            _forget_dead_servers()
        words = "\n".join(self.said[-2 * _SLOTS :])
        raise RuntimeError(f"no jackd would start: are eight of them running, or have they crashed?\n{words}")

    def _began(self, slot: int) -> bool:
        """Take the slot and start there; False where another run has it, or no server would start."""
        lock = _take_slot(slot)
        if lock is None:
            self.said.append(f"slot {slot}: another run has it")
            return False
        self._lock = lock
        self.name = f"gigmate-test-{slot}"
        self.environment = {
            **os.environ,
            "JACK_DEFAULT_SERVER": self.name,
            "JACK_NO_AUDIO_RESERVATION": "1",
            "JACK_NO_START_SERVER": "1",
        }
        self.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
        try:
            self.start()
        except RuntimeError:
            lock.unlink()
            return False
        return True

    def start(self) -> None:
        """Start (again) under the same name and wait until clients can connect. Nothing, where it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        looped = ["-L", str(self.loopback)] if self.loopback else []
        for more in ([], ["-r"]):  # realtime scheduling is not permitted everywhere
            command = ["jackd", "-n", self.name, *more, *looped, "-d", "dummy", "-r", str(self.rate_hz)]
            command += ["-p", str(self.block_samples), "-C", "4", "-P", "4"]
            with tempfile.TemporaryFile() as words:
                self._process = subprocess.Popen(
                    command,
                    env=self.environment,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                )
                if self._answers():
                    self._crashed = False  # the name is a living server's again
                    return
                self.kill()
                words.seek(0)
                said = words.read().decode(errors="replace").strip().splitlines()[-6:]
            self.said.append(f"{self.name}, exit code {self._process.returncode}: " + " | ".join(said))
        raise RuntimeError("jackd would not start")

    def _answers(self) -> bool:
        assert self._process is not None
        hung = 0
        for _ in range(100):
            if self._process.poll() is not None or hung > 2:
                return False
            try:  # a client that meets what a crashed server left behind may wait for ever
                asked = subprocess.run(["jack_lsp"], env=self.environment, capture_output=True, check=False, timeout=8)
            except subprocess.TimeoutExpired:
                hung += 1
                continue
            if asked.returncode == 0 and b"system:" in asked.stdout:
                return self._process.poll() is None  # else it is another that has the name, and answers
            time.sleep(0.05)
        return False

    def kill(self, how: int = signal.SIGKILL) -> None:
        """As if it crashed."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(timeout=10)
            self._crashed = True

    def stop(self) -> None:
        """End it in order, so that its name leaves libjack's registry; one that crashed is run once more for that.

        Its clients end first: a server that has to be killed because one of them keeps it leaves its name behind.
        May be called twice.
        """
        if self._stopped:
            return
        self._stopped = True
        self._end_clients()
        for _ in range(3):
            if self._crashed:
                with contextlib.suppress(RuntimeError):
                    self.start()
            if self._process is None or self._process.poll() is not None:
                break
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.kill()
            if not self._is_registered():
                break
            self._crashed = True  # some that end in order leave their name all the same (jackd 1.9.21)
        for left in Path("/dev/shm").glob(f"jack_sem.*_{self.name}_*"):
            left.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)

    def _is_registered(self) -> bool:
        registry = Path("/dev/shm/jack-shm-registry")  # on Linux; elsewhere nothing can be seen
        return registry.exists() and f":{self.name}:".encode() in registry.read_bytes()

    def _end_clients(self) -> None:
        """Ports of this process, and programs of this test run that were given this server's environment (Linux)."""
        running = sys.modules.get("gigmate.engine.ports.port")
        for port in list(running._RUNNING) if running is not None else ():
            if port.config.server_name == self.name or port.config.server_name is None:
                port.close()
        pids = [pid for pid in _pids_with(f"JACK_DEFAULT_SERVER={self.name}".encode()) if not self._is_server(pid)]
        for how, patience_s in ((signal.SIGCONT, 0.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0)):
            pids = [pid for pid in pids if _is_alive(pid)]
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            end_s = time.monotonic() + patience_s
            while any(_is_alive(pid) for pid in pids) and time.monotonic() < end_s:
                time.sleep(0.02)

    def _is_server(self, pid: int) -> bool:
        return self._process is not None and pid == self._process.pid


def _pids_with(entry: bytes) -> list[int]:
    """Processes that we started, or that those started, with that entry in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if entry in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it has ended, or belongs to somebody else
            continue
    return [pid for pid in found if _descends(pid)]


def _descends(pid: int) -> bool:
    """Whether a process is a child of this one, or a child's child."""
    while pid > 1:
        try:
            pid = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
        if pid == os.getpid():
            return True
    return False


def _is_alive(pid: int) -> bool:
    """Whether a process still runs: one that has ended and waits to be asked for its exit code does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def start_jack() -> Iterator[Callable[..., JackServer]]:
    """`start_jack(rate_hz=..., block_samples=...)`: as many private servers as the test wants."""
    if shutil.which("jackd") is None or shutil.which("jack_lsp") is None:
        if IN_CI:
            pytest.fail("jackd and jack_lsp must be there in CI: apt install jackd2 jack-example-tools")
        pytest.skip("no jackd here: apt install jackd2 jack-example-tools")
    servers: list[JackServer] = []

    def start(**settings: int) -> JackServer:
        servers.append(JackServer(**settings))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def jack_server(start_jack: Callable[..., JackServer]) -> JackServer:
    """One private dummy server at 48 kHz with blocks of 128 samples and 4 channels each way."""
    return start_jack()


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a band that is small and plays at random: everything of the real one but the music."""
    import torch

    from .model.small_band import write_small_band

    state = torch.random.get_rng_state()
    folder = write_small_band(tmp_path_factory.mktemp("weights"), sure=False)
    torch.random.set_rng_state(state)
    return folder


@pytest.fixture(autouse=True)
def _float_mode_stays_as_it_was() -> Iterator[None]:
    """A player that a test ran on this thread has set it to flush denormals, which other tests need."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session", autouse=True)
def _programs_of_tests_stay_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled programs of tiny bands do not fill the user's cache, and the user's own bindings play no role."""
    places = {"GIGMATE_CACHE_DIR": "cache", "GIGMATE_CONFIG_DIR": "config"}
    before = {name: os.environ.get(name) for name in places}
    for name, folder in places.items():
        os.environ[name] = str(tmp_path_factory.mktemp(folder))
    if "PYTEST_XDIST_WORKER" in os.environ:  # what one worker has compiled serves the others
        shared = tmp_path_factory.getbasetemp().parent / "compiled"
        shared.mkdir(exist_ok=True)
        os.environ["GIGMATE_CACHE_DIR"] = str(shared)
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
