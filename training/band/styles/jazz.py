"""Swing, bossa nova, blues shuffle: what these bands play. Data only; the letters are explained in `style`."""

from __future__ import annotations

from ..style import Groove, Style

_BLUES = (
    "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
    "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
    "I7 IV7 I7 I7 IV7 IV7 I7 VI7 ii7 V7 I7,VI7 ii7,V7",
    "I7 V7 IV7 IV7 I7 V7 I7 V7",
)
_MINOR_BLUES = (
    "im7 im7 im7 im7 ivm7 ivm7 im7 im7 bVI7 V7 im7 V7",
    "im7 ivm7 im7 im7 ivm7 ivm7 im7 im7 iim7b5 V7b9 im7 V7b9",
)

BLUES_SHUFFLE = Style(
    name="blues_shuffle",
    bpm=(84, 144),
    major={"verse": _BLUES, "chorus": _BLUES, "bridge": ("IV7 IV7 I7 I7 IV7 IV7 II7 V7",)},
    minor={"verse": _MINOR_BLUES, "chorus": _MINOR_BLUES, "bridge": ("ivm7 ivm7 im7 im7 ivm7 ivm7 bVI7 V7",)},
    minor_share=0.2,
    grooves={
        "4/4": Groove(
            2,
            kicks=("X...X...", "X..xX...", "X.x.X.x.", "X...X..x", "X..xX..x"),
            snares=("..X...X.", "..X...X.", "..Xg..Xg", ".gX..gX."),
            hats=("XoXoXoXo", "XxXxXxXx", "X.XoX.Xo"),
            loud_hats=("XxXxXxXx", "X.XxX.Xx"),
            loud_hat_pitches=(51, 42, 51),
            open_hat=("........", ".......O"),
        ),
    },
    bass={"4/4": ("R-3-5-6-", "R-R-5-5-", "R-3-5-6-8-6-5-3-", "R-r-5-r-", "RR335566", "R-8-7-5-", "R-3-5-a-")},
    bass_steps=2,
    keys={"4/4": ("..x...x.", "x..x..x.", "H-------", ".x.x.x.x", "x..h---.", "...x...x")},
    keys_steps=2,
    keys_voicing="rootless",
    strums={"4/4": ("D.D.D.D.", "DuDuDuDu", "D.DuD.Du", "..D...D.", "DdDdDdDd")},
    lead_modes={"strum": 0.25, "riff": 0.25, "melody": 0.35, "comp": 0.15},
    bass_program=33, keys_program=0, kit=0,
    other_bass_programs=(32, 35), other_keys_programs=(16, 4), other_kits=(8, 32),
    swing_depth=1.0, walking=0.35, kick_lock=0.0,
    timing_ms={"drums": (3.0, 5.0), "bass": (4.0, 5.0), "keys": (4.0, 9.0)},
    levels_db={"drums": 0.0, "bass": 0.0, "keys": -4.0},
    fills=("swing", "rock"), section_bars=(12,), lead_scale="blues",
)

BOSSA_NOVA = Style(
    name="bossa_nova",
    bpm=(108, 152),
    major={"verse": ("Imaj7 Imaj7 II7 II7 ii7 V7 Imaj7 V7", "Imaj9 Imaj9 ii9 V13", "Imaj7 VI7b9 ii7 V7", "Imaj7 Imaj7 ivm7 bVII7 iii7 VI7b9 ii7 V7"),
           "chorus": ("IVmaj7 ivm6 iii7 VI7b9 ii7 V7 Imaj7 Imaj7", "ii9 V13 Imaj9 VI7b9", "IVmaj7 bVII9 Imaj7 VI7b9"),
           "bridge": ("bIIImaj7 bIIImaj7 ivm7 bVII7 bIIImaj7 bIIImaj7 ii7 V7", "ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 Imaj7 Imaj7")},
    minor={"verse": ("im9 im9 iim7b5 V7b9", "im7 ivm7 iim7b5 V7b9", "im6 im6 bVImaj7 V7b9"), "chorus": ("ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im7 im7", "bVImaj7 V7b9 im9 im9"),
           "bridge": ("bIIImaj7 bIIImaj7 ivm7 bVII7", "ivm9 bVII13 bIIImaj9 V7b9")},
    minor_share=0.4,
    grooves={
        "4/4": Groove(
            2,
            kicks=("X..xX..x", "X..xX..x", "x..oX..o"),
            snares=("x..x..x...x..x..", "..x.x...x..x..x.", "x..x...x..x.x...", "x..x..x...x...x."),
            hats=("xoxoxoxo", "oxoxoxox", "xxxxxxxx"),
            loud_hats=("xoxxxoxx", "xoxoxoxo"),
            loud_hat_pitches=(51, 42),
            snare_pitch=37, soft_snare_pitch=37,
            pedal="..x...x.",
        ),
    },
    bass={"4/4": ("R--55--5", "R--55--a", "R--R5--5", "R---5--5", "R--58--5")},
    bass_steps=2,
    keys={"4/4": ("x..h-.x...x..h-.", "h-.x..h-.x..x...", ".x..x..x.x..h---", "x..x..x...x..x..", "h---.x..h---.x.x")},
    keys_steps=2,
    keys_voicing="rootless",
    strums={"4/4": ("D..d..d...d..d..", "D..dD..d", "D.d..d..", "d..d..d.D..d..d.")},
    lead_modes={"strum": 0.3, "pick": 0.25, "comp": 0.15, "melody": 0.3},
    bass_program=32, keys_program=4, kit=0,
    other_bass_programs=(33, 35), other_keys_programs=(0, 5), other_kits=(32, 40),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 3.5), "bass": (1.0, 5.0), "keys": (2.0, 8.0)},
    levels_db={"drums": -3.0, "bass": 0.0, "keys": -3.0},
    fills=("latin",), crash=False,
)

_TURN = "Imaj7,VI7b9 ii7,V7"
SWING = Style(
    name="swing",
    bpm=(104, 190),
    major={"verse": (f"{_TURN} {_TURN} Imaj7,I7 IVmaj7,ivm6 iii7,VI7b9 ii7,V7", "Imaj7 VI7b9 ii7 V7", "Imaj7 ivm7,bVII7 Imaj7 iii7,VI7b9 ii7 V7 Imaj7 ii7,V7",
                     "I6 II7 ii7 V7", "ii7 V7 Imaj7 IVmaj7 iim7b5/vi V7b9/vi vim7 VI7b9"),
           "chorus": ("ii7 V7 Imaj7 VI7b9", "I7 IV7 I7 I7 IV7 IV7 I7 VI7b9 ii7 V7 I7,VI7b9 ii7,V7", "Imaj7 I7 IVmaj7 ivm6 iii7 VI7b9 ii7 V7"),
           "bridge": ("III7 III7 VI7 VI7 II7 II7 V7 V7", "ii7/IV V7/IV IVmaj7 IVmaj7 ii7/V V7/V ii7 V7", "IVmaj7 ivm6 iii7 bIIIdim7 ii7 V7 Imaj7 Imaj7")},
    minor={"verse": ("im6 im6 iim7b5 V7b9", "im7 ivm7 iim7b5 V7b9", "im7,VIm7b5 iim7b5,V7b9"), "chorus": ("ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im6 im6", "im7 im7 ivm7 ivm7 bVI7 V7b9 im6 V7b9"),
           "bridge": ("ivm7 bVII7 bIIImaj7 bIIImaj7 iim7b5 V7b9 im6 im6", "III7 III7 VI7 VI7 II7 II7 V7b9 V7b9")},
    minor_share=0.3,
    metres={"4/4": 0.82, "3/4": 0.18},
    grooves={
        "4/4": Groove(
            2,
            kicks=("g.g.g.g.", "........", "g.g.g.g?", "....?..."),
            snares=("...?...?", ".?...?.?", "?......?.?...?..", "........"),
            hats=("x.Xox.Xo", "x.Xxx.X.", "x.X.x.Xo"),
            loud_hats=("x.Xxx.Xx", "x.Xxx.X.x.Xxx.Xx"),
            loud_hat_pitches=(51,), hat_pitch=51,
            pedal="..x...x.",
        ),
        "3/4": Groove(
            2,
            kicks=("x.....", "o....?", "x..?.."), snares=("...?..", ".....?", ".?.?.."),
            hats=("x.xox.", "x.xxx.", "x.x.xo"), loud_hats=("x.Xxxx", "x.xxx."), loud_hat_pitches=(51,), hat_pitch=51,
            pedal="..x...",
        ),
    },
    bass={"4/4": ("R---5---", "R---5-a-", "R---R---", "R---3---"), "3/4": ("R-----", "R---5-", "R---a-")},
    bass_steps=2,
    keys={"4/4": ("x..x....", "...x...x", ".x...x..", "h--x....", "x..h---..x...x..", "...h--.x...x..h-", "..x....x..x...x.", "h-----..x..x...."),
          "3/4": ("x..x..", "..x.x.", "h-----", "...x..h---..", ".x.x..")},
    keys_steps=2,
    keys_voicing="rootless",
    strums={"4/4": ("D.d.D.d.", "d.D.d.D.", "d.D.duD."), "3/4": ("D.d.d.", "D.d.du")},
    lead_modes={"strum": 0.2, "comp": 0.25, "melody": 0.5, "pick": 0.05},
    bass_program=32, keys_program=0, kit=32,
    other_bass_programs=(35,), other_keys_programs=(4, 11), other_kits=(40, 0),
    swing_depth=1.0, walking=0.78, kick_lock=0.0,
    timing_ms={"drums": (-1.0, 4.0), "bass": (-2.0, 5.0), "keys": (5.0, 9.0)},
    levels_db={"drums": -3.0, "bass": 1.0, "keys": -3.0},
    fills=("swing",), crash=False,
)
