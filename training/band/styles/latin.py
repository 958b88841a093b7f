"""Cumbia, reggaeton, tango: what these bands play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

CUMBIA = Style(
    name="cumbia",
    bpm=(82, 112),
    major={
        "verse": choices("I I V V | I V V I | I IV V I | I I IV V | vi vi III7 III7"),
        "chorus": choices("V I V I | IV I V I | I V I V | IV IV I V"),
        "bridge": choices("vi III7 vi III7 | IV IV I I | ii V I I"),
    },
    minor={
        "verse": choices("i i V7 V7 | i V7 V7 i | i iv V7 i | i bVII bVI V7 | i i iv V7"),
        "chorus": choices("iv i V7 i | V7 i V7 i | bVII bIII V7 i | i V7 i V7"),
        "bridge": choices("bVI bVII i i | iv iv i V7 | bIII bVII V7 i"),
    },
    minor_share=0.6,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X.......X....... X...x...X...x... X.....o.X.....o. X...X...X...X..."),
            snares=words("................ ......?.......?. ..........?....."),
            hats=words("X.xxX.xxX.xxX.xx x.Xxx.Xxx.Xxx.Xx X.xxX.xxX.xxXxxx"),
            loud_hats=words("X.xxX.xxX.xxX.xx XxxxX.xxXxxxX.xx"),
            hat_pitch=70,
            loud_hat_pitches=(70,),
            extra=((64, "....X.xx....X.xx"), (62, "..x.......x...x.")),
        ),
    },
    bass={
        "4/4": words("""
            R---3-5-R---3-5- R---5-5-R---5-3- R---..5-R---3-5- R---5-8-R---5-a- R---5-3-R-..5-a-
            R---3-5-R---5-a-R---3-5-8---5-3-
        """),
    },
    bass_steps=4,
    keys={"4/4": words("..x...x...x...x. ..xx..xx..xx..xx ..x...xx..x...xx ..h-..x...h-..x. ..x...x...x..xx.")},
    keys_steps=4,
    keys_voicing="triad",
    strums={"4/4": words("..d...d...d...d. ..du..du..du..du D..uD..uD..uD..u ..m.d.m...m.d.mu")},
    strum_steps=4,
    lead_modes={"strum": 0.35, "melody": 0.35, "riff": 0.2, "comp": 0.1},
    bass_program=33,
    keys_program=21,
    kit=0,
    other_bass_programs=(32, 34),
    other_keys_programs=(16, 0, 23),
    other_kits=(8,),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 3.5), "bass": (1.0, 4.5), "keys": (0.0, 6.0)},
    levels_db={"drums": -1.0, "bass": 1.5, "keys": -3.0},
    fills=("latin", "reggae"),
    crash=False,
    short_strums_beats=0.22,
)

REGGAETON = Style(
    name="reggaeton",
    bpm=(84, 104),
    major={
        "verse": choices("vi IV I V | I V vi IV | ii vi IV V"),
        "chorus": choices("IV V vi I | vi IV I V | I vi IV V"),
        "bridge": choices("IV IV vi V | ii ii V V"),
    },
    minor={
        "verse": choices("i bVI bIII bVII | i bVII bVI V | i iv bVII bIII | i i bVI bVII"),
        "chorus": choices("bVI bVII i i | iv bVII bIII bVI | i bVI bIII bVII | i V bVI bVII"),
        "bridge": choices("iv iv i V | bVI bVI bVII V | iv bVI V V"),
    },
    minor_share=0.85,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X...X...X...X... X...X...X...X..x X.......X....... X.......X......."),
            snares=words("...X..X....X..X. ...X..X....X..X. ...X..X....X..Xg ...X..Xg...X..X."),
            hats=words("x.x.x.x.x.x.x.x. x.oxx.oxx.oxx.ox xoxoxoxoxoxoxoxo"),
            loud_hats=words("x.x.x.x.x.x.x.x. x.xxx.xxx.xxx.xx"),
            loud_hat_pitches=(42,),
            open_hat=words("................ ..O...O...O...O. ..............O."),
        ),
    },
    bass={
        "4/4": words("""
            R--R--R-R--R--R- R-----R-R-----R- R---..R-R---..a- R--R--5-R--R--8- R------R--R---R-
            R--R..R-5--5..a-
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words(
            "H--------------- x..x..x.x..x..x. ...x..x....x..x. H-------h------- ..x...x...x...x. 0..1..2.0..1..2."
        )
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={"4/4": words("d..d..d.d..d..d. ...d..d....d..d. D-------d..d..d. d...d..ud...d..u")},
    strum_steps=4,
    lead_modes={"riff": 0.3, "pick": 0.2, "strum": 0.2, "comp": 0.15, "melody": 0.15},
    bass_program=38,
    keys_program=4,
    kit=25,
    other_bass_programs=(39, 33),
    other_keys_programs=(5, 0, 90),
    other_kits=(24, 0),
    kick_lock=0.2,
    timing_ms={"drums": (0.0, 2.5), "bass": (2.0, 4.0), "keys": (1.0, 5.0)},
    levels_db={"drums": 1.0, "bass": 2.0, "keys": -5.0},
    fills=("soft", "funk"),
    crash=False,
    short_strums_beats=0.3,
)

TANGO = Style(
    name="tango",
    bpm=(104, 132),
    major={
        "verse": choices("I I V7 V7 | I VI7 ii V7 | V7 I V7 I | I I ii V7 V7 ii V7 I"),
        "chorus": choices("IV I V7 I | I I7 IV iv I V7 I I | ii V7 I VI7 ii V7 I I"),
        "bridge": choices("vi III7 vi III7 | III7 vi II7 V7"),
    },
    minor={
        "verse": choices("i i V7 V7 | i iv V7 i | i V7 V7 i | i i7 iv iv V7 V7 i i | iim7b5 V7 i i"),
        "chorus": choices("iv i V7 i | iv iv i i V7 V7 i i | bVI bIII V7 i | iv bVII7 bIII bVI iim7b5 V7 i V7"),
        "bridge": choices("bIII bVII7 bIII V7 | bVI bVI V7 V7 | iv iv II7 V7"),
    },
    minor_share=0.85,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X...x...X...x... X.......x....... X...x...x...x..."),
            snares=words("..............xx ............x.xx ................ ......x.......xx x..x..x.x......."),
            hats=words("................ X...X...X...X... o...o...o...o..."),
            loud_hats=words("X...X...X...X... x...x...x...x.xx"),
            hat_pitch=44,
            loud_hat_pitches=(44,),
            snare_pitch=38,
            soft_snare_pitch=37,
        ),
    },
    bass={
        "4/4": words("""
            R-..R-..5-..R-.. R-..5-..R-..5-.. R--.R-..5--.a-.. R-----R-5---a--- R-..R-..R-..a-..
            R-..5-..R-..a-..R-..3-..5-..a-..
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            X...X...X...X... X...x...X...x... x.h---x.h---x... ..x.H-..x.x..... x..h--x.H---x...
            X...X...X...X...x.h---x.h---....
        """)
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={"4/4": words("D...D...D...D... d.D-..d.D-..d... D..d..D.D..d..D.")},
    strum_steps=4,
    lead_modes={"melody": 0.5, "comp": 0.2, "pick": 0.15, "strum": 0.15},
    bass_program=32,
    keys_program=23,
    kit=40,
    other_bass_programs=(33,),
    other_keys_programs=(0, 21),
    other_kits=(32, 0),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 4.0), "bass": (0.0, 5.0), "keys": (0.0, 7.0)},
    levels_db={"drums": -6.0, "bass": 1.0, "keys": -1.0},
    fills=("soft",),
    crash=False,
    short_strums_beats=0.4,
)
