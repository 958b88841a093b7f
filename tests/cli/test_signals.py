"""Signals: the first is a wish, the second ends the process; what was ignored stays ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from gigmate.cli.signals import Interrupted, Signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_the_first_signal_is_noted(name: str, code: int) -> None:
    number = getattr(signal, name)
    # whoever runs the tests in the background may have them ignore signals
    outside = signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
    before = signal.getsignal(number)
    with Signals() as signals:
        assert signals.exit_code is None
        signals.raise_if_any()
        os.kill(os.getpid(), number)
        assert signals.exit_code == code
        with pytest.raises(Interrupted) as caught:
            signals.raise_if_any()
        assert caught.value.code == code
    assert signal.getsignal(number) == before
    signal.signal(number, outside)


def test_the_second_ends_the_process() -> None:
    code = (
        "import os, signal, gigmate.cli.signals as s\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with s.Signals():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('still here', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    import time; time.sleep(10); print('too long')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "still here\n"
    assert done.returncode == -signal.SIGTERM


def test_nohup_stays_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.exit_code is None
    finally:
        signal.signal(signal.SIGHUP, before)
