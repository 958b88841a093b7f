"""What the plug-in starts in tests, in the place of `gigmate`: the whole engine, with a player that needs no model.

    python fake_engine.py KIND plugin engine --shared 3

KIND: clicker (an impulse on each beat), improviser (noise by seed and input), mute (never ready), exits, other (of
another version).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

if sys.argv[1] == "exits":
    sys.exit(3)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine"))

from fakes import Clicker, Improviser
from gigmate.engine.callback.hosted import plugin_table
from gigmate.plugin.serving import House, serve
from gigmate.presets.loader import load_preset
from gigmate.session import PlayerLoading
from gigmate.sheets.library import read_chart
from gigmate.show import Show, known_presets

KINDS = {"clicker": Clicker, "improviser": Improviser, "other": Clicker}


def main() -> None:
    kind = sys.argv[1]
    if kind == "mute":
        time.sleep(600)
    if kind == "other":
        plugin_table.LAYOUT += 1
    presets, _ = known_presets(())
    loading = PlayerLoading(load=KINDS[kind])
    house = House(lambda name, chart: (Show(load_preset(name), chart=chart, presets=presets), []), read_chart)
    serve(int(sys.argv[sys.argv.index("--shared") + 1]), loading, house)


if __name__ == "__main__":
    main()
