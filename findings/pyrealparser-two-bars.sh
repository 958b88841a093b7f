#!/usr/bin/env bash
# pyRealParser 0.1.0: in charts of iReal Pro, "r" and the empty bar behind it stand for the two bars before. Where this
# sign comes twice (four bars), two bars are made of it, and everything behind it comes two bars early.
# Seen 2026-12-01: C F r _ r _ G A, eight bars, are read as C F C F G A.
# GigMate: `sheets/readers/ireal_bars.py` makes two bars of each sign.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" pyRealParser==0.1.0
PYTHONPATH=$folder python3 - <<'PYTHON'
import sys
import urllib.parse

from pyRealParser import Tune

body = "[T44C   |F   | r|   | r|   |G   |A   Z"
assert len(body) <= 50  # as short as this a chart is not scrambled
link = "irealb://" + urllib.parse.quote(f"Title=Composer==Medium Swing=C==1r34LbKcu7{body}==0=0")
(tune,) = Tune.parse_ireal_url(link)
right = "C F C F C F G A".split()
print(f"bars {tune.measures_as_strings}; written {right}")
sys.exit(0 if tune.measures_as_strings == "C F C F G A".split() else 1)
PYTHON
