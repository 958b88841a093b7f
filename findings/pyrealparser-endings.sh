#!/usr/bin/env bash
# pyRealParser 0.1.0: reads charts of iReal Pro. Where two sections have endings of their own, the second ending of
# the second section is led in by the first section's bars. A time signature is two digits, so T12 (12/8) is 1/2.
# Seen 2026-11-30: A is C F, B is E A; the second time B begins with C F.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" pyRealParser==0.1.0
PYTHONPATH=$folder python3 - <<'PYTHON'
import sys
import urllib.parse

from pyRealParser import Tune


def link(body: str) -> str:
    """A link of iReal Pro: its text is scrambled in blocks of 50 letters; a last one of up to 51 is left as it is."""
    scrambled = ""
    while len(body) > 51:
        block, body = list(body[:50]), body[50:]
        for place in (*range(5), *range(10, 24)):
            block[place], block[49 - place] = block[49 - place], block[place]
        scrambled += "".join(block)
    return "irealb://" + urllib.parse.quote(f"Title=Composer==Medium Swing=C==1r34LbKcu7{scrambled + body}==0=0")


(tune,) = Tune.parse_ireal_url(link("*A{T44C |F |N1G |C }|N2G |D ]*B{E |A |N1B |E }|N2B |E ]"))
right = "C F G C C F G D E A B E E A B E".split()
(twelve,) = Tune.parse_ireal_url(link("[T12C |F |G |C Z"))
print(f"bars {tune.measures_as_strings}; played {right}; T12 is {twelve.time_signature}")
wrong = "C F G C C F G D E A C F B E C F B E".split()
sys.exit(0 if tune.measures_as_strings == wrong and twelve.time_signature == (1, 2) else 1)
PYTHON
