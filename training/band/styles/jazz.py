"""Swing and jazz waltz: what these bands play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

SWING = Style(
    name="swing",
    bpm=(104, 190),
    major={
        "verse": choices("""
            Imaj7,VI7b9 ii7,V7 Imaj7,VI7b9 ii7,V7 Imaj7,I7 IVmaj7,ivm6 iii7,VI7b9 ii7,V7 | Imaj7
            VI7b9 ii7 V7 | Imaj7 ivm7,bVII7 Imaj7 iii7,VI7b9 ii7 V7 Imaj7 ii7,V7 | I6 II7 ii7 V7 |
            ii7 V7 Imaj7 IVmaj7 iim7b5/vi V7b9/vi vim7 VI7b9
        """),
        "chorus": choices("""
            ii7 V7 Imaj7 VI7b9 | I7 IV7 I7 I7 IV7 IV7 I7 VI7b9 ii7 V7 I7,VI7b9 ii7,V7 | Imaj7 I7
            IVmaj7 ivm6 iii7 VI7b9 ii7 V7
        """),
        "bridge": choices("""
            III7 III7 VI7 VI7 II7 II7 V7 V7 | ii7/IV V7/IV IVmaj7 IVmaj7 ii7/V V7/V ii7 V7 | IVmaj7
            ivm6 iii7 bIIIdim7 ii7 V7 Imaj7 Imaj7
        """),
    },
    minor={
        "verse": choices("im6 im6 iim7b5 V7b9 | im7 ivm7 iim7b5 V7b9 | im7,VIm7b5 iim7b5,V7b9"),
        "chorus": choices("""
            ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im6 im6 | im7 im7 ivm7 ivm7 bVI7 V7b9 im6 V7b9
        """),
        "bridge": choices("""
            ivm7 bVII7 bIIImaj7 bIIImaj7 iim7b5 V7b9 im6 im6 | III7 III7 VI7 VI7 II7 II7 V7b9 V7b9
        """),
    },
    minor_share=0.3,
    metres={"4/4": 0.82, "3/4": 0.18},
    grooves={
        "4/4": Groove(
            2,
            kicks=words("g.g.g.g. ........ g.g.g.g? ....?..."),
            snares=words("...?...? .?...?.? ?......?.?...?.. ........"),
            hats=words("x.Xox.Xo x.Xxx.X. x.X.x.Xo"),
            loud_hats=words("x.Xxx.Xx x.Xxx.X.x.Xxx.Xx"),
            loud_hat_pitches=(51,),
            hat_pitch=51,
            pedal="..x...x.",
        ),
        "3/4": Groove(
            2,
            kicks=words("x..... o....? x..?.."),
            snares=words("...?.. .....? .?.?.."),
            hats=words("x.xox. x.xxx. x.x.xo"),
            loud_hats=words("x.Xxxx x.xxx."),
            loud_hat_pitches=(51,),
            hat_pitch=51,
            pedal="..x...",
        ),
    },
    bass={
        "4/4": words("R---5--- R---5-a- R---R--- R---3---"),
        "3/4": words("R----- R---5- R---a-"),
    },
    bass_steps=2,
    keys={
        "4/4": words("""
            x..x.... ...x...x .x...x.. h--x.... x..h---..x...x.. ...h--.x...x..h- ..x....x..x...x.
            h-----..x..x....
        """),
        "3/4": words("x..x.. ..x.x. h----- ...x..h---.. .x.x.."),
    },
    keys_steps=2,
    keys_voicing="rootless",
    strums={
        "4/4": words("D.d.D.d. d.D.d.D. d.D.duD."),
        "3/4": words("D.d.d. D.d.du"),
    },
    strum_steps=2,
    lead_modes={"strum": 0.2, "comp": 0.25, "melody": 0.5, "pick": 0.05},
    bass_program=32,
    keys_program=0,
    kit=32,
    other_bass_programs=(35,),
    other_keys_programs=(4, 11),
    other_kits=(40, 0),
    swing_depth=1.0,
    walking=0.78,
    kick_lock=0.0,
    timing_ms={"drums": (-1.0, 4.0), "bass": (-2.0, 5.0), "keys": (5.0, 9.0)},
    levels_db={"drums": -3.0, "bass": 1.0, "keys": -3.0},
    fills=("swing",),
    crash=False,
    short_strums_beats=0.62,
)

JAZZ_WALTZ = Style(
    name="jazz_waltz",
    bpm=(96, 200),
    major={
        "verse": choices("""
            Imaj7 VI7b9 ii7 V7 | Imaj7 Imaj7 ii7 V7 iii7 VI7b9 ii7 V7 | Imaj7 ivm7 Imaj7 ivm7 iii7 VI7b9 ii7 V7
            | Imaj7 IVmaj7 iii7 vi7 ii7 V7 Imaj7 V7
        """),
        "chorus": choices("IVmaj7 ivm6 iii7 VI7b9 ii7 V7 Imaj7 Imaj7 | ii7 V7 Imaj7 vi7"),
        "bridge": choices("ii7/IV V7/IV IVmaj7 IVmaj7 ivm7 bVII7 iii7 VI7 | III7 III7 VI7 VI7 II7 II7 V7 V7"),
    },
    minor={
        "verse": choices(
            "im7 im7 iim7b5 V7b9 | im6 bVImaj7 iim7b5 V7b9 | im7 ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im6"
        ),
        "chorus": choices("ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im6 im6"),
        "bridge": choices("bIIImaj7 bIIImaj7 ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9"),
    },
    minor_share=0.35,
    metres={"3/4": 1.0},
    grooves={
        "3/4": Groove(
            2,
            kicks=words("x..... o....? x..?.. x....."),
            snares=words("...?.. .....? .?.?.. ......"),
            hats=words("x.xox. x.xxx. x.x.xo"),
            loud_hats=words("x.Xxxx x.xxx. x.xxx.x.xxxx"),
            loud_hat_pitches=(51,),
            hat_pitch=51,
            pedal="..x...",
        ),
    },
    bass={"3/4": words("R----- R---5- R---a- R-5-8- R-3-5-")},
    bass_steps=2,
    keys={"3/4": words("x..x.. ..x.x. h----- ...x..h---.. .x.x.. x..h--..x... h--x..")},
    keys_steps=2,
    keys_voicing="rootless",
    strums={"3/4": words("D.d.d. D.d.du D..d..")},
    strum_steps=2,
    lead_modes={"strum": 0.15, "comp": 0.3, "melody": 0.5, "pick": 0.05},
    bass_program=32,
    keys_program=0,
    kit=32,
    other_bass_programs=(35,),
    other_keys_programs=(4, 11),
    other_kits=(40, 0),
    short_strums_beats=0.6,
    swing_depth=1.0,
    walking=0.6,
    kick_lock=0.0,
    timing_ms={"drums": (-1.0, 4.0), "bass": (-1.0, 5.0), "keys": (4.0, 9.0)},
    levels_db={"drums": -3.0, "bass": 1.0, "keys": -3.0},
    fills=("swing",),
    crash=False,
)
