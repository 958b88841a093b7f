"""Our figure and jack_iodelay's, of one loop on a private server (`jackd -L 2`, dummy): `make bench-latency`.

A program, no test: it prints both and the difference, and ends with 1 where they differ by more than 0.01 sample.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time

from gigmate.engine.config import EngineConfig
from gigmate.engine.ports import open_port
from gigmate.engine.ports.loopback import PortLoop
from gigmate.latency.probe import Probe

NAME = "gigmate-bench-latency"
TOOLS = ("jackd", "jack_lsp", "jack_connect", "jack_iodelay")
AGREE_SAMPLES = 0.01
_FIGURE = re.compile(r"^\s*([0-9.]+) frames\s+([0-9.]+) ms total roundtrip", re.MULTILINE)


def start_server(rate_hz: int, block_samples: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Raises RuntimeError where none would start."""
    server = subprocess.Popen(
        ["jackd", "-n", NAME, "-r", "-L", "2", "-d", "dummy", "-r", str(rate_hz), "-p", str(block_samples)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(100):
        listed = subprocess.run(["jack_lsp"], env=environment, capture_output=True, check=False, timeout=60)
        if b"loopback:" in listed.stdout:
            return server
        time.sleep(0.1)
    server.kill()
    server.wait()
    raise RuntimeError("jackd would not start")


def theirs(environment: dict[str, str], patience_s: float = 30.0) -> float | None:
    """What jack_iodelay prints for the loopback, in samples."""
    tool = subprocess.Popen(
        ["stdbuf", "-oL", "jack_iodelay"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for source, target in (("jack_delay:out", "loopback:playback_1"), ("loopback:capture_1", "jack_delay:in")):
            for _ in range(100):
                made = subprocess.run(
                    ["jack_connect", source, target], env=environment, capture_output=True, check=False, timeout=60
                )
                if made.returncode == 0:
                    break
                time.sleep(0.1)
        end_s = time.monotonic() + patience_s
        figures: list[float] = []
        assert tool.stdout is not None
        while time.monotonic() < end_s and len(figures) < 3:  # the first may still be settling
            found = _FIGURE.match(tool.stdout.readline())
            if found:
                figures.append(float(found.group(1)))
        return figures[-1] if figures else None
    finally:
        tool.terminate()
        tool.wait(timeout=10)


def ours() -> tuple[float, float]:
    """By the tones and by the burst, in samples."""
    port = open_port(EngineConfig(backend="jack", device="loopback", output_channels=(1,), server_name=NAME))
    with PortLoop(port) as loop:
        found = Probe(loop).measure()
    return found.delay_samples, float(found.burst_samples or 0.0)


def main() -> int:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(
            f"bench-latency: there is no {', '.join(missing)}: apt install jackd2 jack-example-tools", file=sys.stderr
        )
        return 1
    environment = {**os.environ, "JACK_DEFAULT_SERVER": NAME, "JACK_NO_AUDIO_RESERVATION": "1"}
    environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    worst = 0.0
    print(
        f"{'rate':>6} {'block':>6} {'gigmate':>12} {'its burst':>12} {'jack_iodelay':>13} {'difference':>11}  samples"
    )
    for rate_hz, block_samples in ((48_000, 128), (44_100, 256), (96_000, 1024)):
        server = start_server(rate_hz, block_samples, environment)
        try:
            measured, burst = ours()
            reference = theirs(environment)
        finally:
            server.terminate()
            server.wait(timeout=10)
        if reference is None:
            print(f"{rate_hz:>6} {block_samples:>6} {measured:>12.3f} {burst:>12.3f}   no figure from jack_iodelay")
            return 1
        worst = max(worst, abs(measured - reference))
        print(
            f"{rate_hz:>6} {block_samples:>6} {measured:>12.3f} {burst:>12.3f} {reference:>13.3f}"
            f" {measured - reference:>11.3f}",
            flush=True,
        )
    return 0 if worst <= AGREE_SAMPLES else 1


if __name__ == "__main__":
    sys.exit(main())
