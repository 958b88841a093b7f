"""Reggae, ska, bossa nova, samba: what these bands play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

REGGAE = Style(
    name="reggae",
    bpm=(64, 92),
    major={
        "verse": choices("I IV | I ii | I V vi IV | I IV V IV | I iii ii V | I vi ii V"),
        "chorus": choices("I V vi IV | IV V I I | ii V I vi | I IV I V"),
        "bridge": choices("vi IV vi V | ii iii IV V | IV I IV V"),
    },
    minor={
        "verse": choices("im7 ivm7 | i bVII | i iv i V | im7 vm7"),
        "chorus": choices("i bVII bVI bVII | iv i V i | bVI bVII i i"),
        "bridge": choices("iv bVII bIII bVI | bVI bVI V V"),
    },
    minor_share=0.45,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("""
                ........X....... ........X....... X.......X....... X...X...X...X... ........X.....o.
            """),
            snares=words("........X....... ........X..?.... ........X.....?. ......?.X......."),
            hats=words("x.o.x.o.x.o.x.o. ..x...x...x...x. x.xox.xox.xox.xo o.x.o.x.o.x.o.x."),
            loud_hats=words("x.x.x.x.x.x.x.x. x.o.x.o.x.o.x.o."),
            loud_hat_pitches=(42, 51, 42),
            open_hat=words("................ ......O.......O. ..............O."),
            snare_pitch=37,
            soft_snare_pitch=37,
        ),
    },
    bass={
        "4/4": words("""
            R---..R-3-5-.... ..R-R---5---3-.. R-----5-8---5-.. R-R-..5-....3-R-
            ....R-3-5---R--- R---3---5-..8-5-R---..R-....5-3-
            R---R-..5-R-..a- R-..R-..R-5-6-5-
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            ....x.......x... ....x.......x... ..x...x...x...x. ....x..x....x..x ..h-x.h-..h-x.h-
        """),
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={
        "4/4": words("....d.......d... ..d...d...d...d. ....d.u.....d.u. ..m.d.m...m.d.m."),
    },
    strum_steps=4,
    lead_modes={"strum": 0.55, "comp": 0.12, "riff": 0.13, "melody": 0.2},
    bass_program=34,
    keys_program=16,
    kit=0,
    other_bass_programs=(33, 35),
    other_keys_programs=(0, 17),
    other_kits=(8,),
    swing_depth=0.3,
    swing_grid_beats=0.25,
    kick_lock=0.0,
    timing_ms={"drums": (2.0, 4.0), "bass": (6.0, 5.0), "keys": (0.0, 6.0)},
    levels_db={"drums": -1.0, "bass": 2.0, "keys": -3.0},
    fills=("reggae",),
    short_strums_beats=0.22,
)

BOSSA_NOVA = Style(
    name="bossa_nova",
    bpm=(108, 152),
    major={
        "verse": choices("""
            Imaj7 Imaj7 II7 II7 ii7 V7 Imaj7 V7 | Imaj9 Imaj9 ii9 V13 | Imaj7 VI7b9 ii7 V7 | Imaj7
            Imaj7 ivm7 bVII7 iii7 VI7b9 ii7 V7
        """),
        "chorus": choices("""
            IVmaj7 ivm6 iii7 VI7b9 ii7 V7 Imaj7 Imaj7 | ii9 V13 Imaj9 VI7b9 | IVmaj7 bVII9 Imaj7
            VI7b9
        """),
        "bridge": choices("""
            bIIImaj7 bIIImaj7 ivm7 bVII7 bIIImaj7 bIIImaj7 ii7 V7 | ivm7 bVII7 bIIImaj7 bVImaj7
            iim7b5 V7b9 Imaj7 Imaj7
        """),
    },
    minor={
        "verse": choices("im9 im9 iim7b5 V7b9 | im7 ivm7 iim7b5 V7b9 | im6 im6 bVImaj7 V7b9"),
        "chorus": choices("ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im7 im7 | bVImaj7 V7b9 im9 im9"),
        "bridge": choices("bIIImaj7 bIIImaj7 ivm7 bVII7 | ivm9 bVII13 bIIImaj9 V7b9"),
    },
    minor_share=0.4,
    grooves={
        "4/4": Groove(
            2,
            kicks=words("X..xX..x X..xX..x x..oX..o"),
            snares=words("x..x..x...x..x.. ..x.x...x..x..x. x..x...x..x.x... x..x..x...x...x."),
            hats=words("xoxoxoxo oxoxoxox xxxxxxxx"),
            loud_hats=words("xoxxxoxx xoxoxoxo"),
            loud_hat_pitches=(51, 42),
            snare_pitch=37,
            soft_snare_pitch=37,
            pedal="..x...x.",
        ),
    },
    bass={
        "4/4": words("R--55--5 R--55--a R--R5--5 R---5--5 R--58--5"),
    },
    bass_steps=2,
    keys={
        "4/4": words("""
            x..h-.x...x..h-. h-.x..h-.x..x... .x..x..x.x..h--- x..x..x...x..x.. h---.x..h---.x.x
        """),
    },
    keys_steps=2,
    keys_voicing="rootless",
    strums={
        "4/4": words("D..d..d...d..d.. D..dD..d D.d..d.. d..d..d.D..d..d."),
    },
    strum_steps=2,
    lead_modes={"strum": 0.3, "pick": 0.25, "comp": 0.15, "melody": 0.3},
    bass_program=32,
    keys_program=4,
    kit=0,
    other_bass_programs=(33, 35),
    other_keys_programs=(0, 5),
    other_kits=(32, 40),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 3.5), "bass": (1.0, 5.0), "keys": (2.0, 8.0)},
    levels_db={"drums": -3.0, "bass": 0.0, "keys": -3.0},
    fills=("latin",),
    crash=False,
)

SKA = Style(
    name="ska",
    bpm=(112, 172),
    major={
        "verse": choices("I IV | I IV V IV | I vi IV V | I I IV V | I ii V I"),
        "chorus": choices("IV V I vi | I V IV V | IV I V I"),
        "bridge": choices("vi ii V I | ii iii IV V | vi IV vi V"),
    },
    minor={
        "verse": choices("i iv | i bVII | i iv i V | i i iv V"),
        "chorus": choices("bVI bVII i i | iv i V i"),
        "bridge": choices("iv iv i i | bVI bVI V V"),
    },
    minor_share=0.35,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X...X...X...X... ........X....... X.......X....... X...X...X...X.x."),
            snares=words("....X.......X... ........X....... ....X..?....X..."),
            hats=words("..x...x...x...x. x.x.x.x.x.x.x.x. o.x.o.x.o.x.o.x."),
            loud_hats=words("..X...X...X...X. x.X.x.X.x.X.x.X."),
            loud_hat_pitches=(42, 51),
            open_hat=words("................ ..O...O...O...O."),
        ),
    },
    bass={
        "4/4": words("""
            R---3---5---6--- R---3---5---3--- R---5---8---5--- R---R---3---5--- R-R-3-3-5-5-3-3- R---8---5---a---
        """),
    },
    bass_steps=4,
    keys={"4/4": words("..x...x...x...x. ..x...x...x...x. ..h-x.h-..h-x.h-")},
    keys_steps=4,
    keys_voicing="triad",
    strums={"4/4": words("..d...d...d...d. ..u...u...u...u. ..d...d...d.u.d.")},
    strum_steps=4,
    lead_modes={"strum": 0.5, "comp": 0.15, "melody": 0.25, "riff": 0.1},
    bass_program=33,
    keys_program=16,
    kit=0,
    other_bass_programs=(34,),
    other_keys_programs=(0, 61),
    other_kits=(8,),
    short_strums_beats=0.22,
    walking=0.4,
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 4.0), "bass": (1.0, 5.0), "keys": (0.0, 6.0)},
    levels_db={"drums": 0.0, "bass": 1.0, "keys": -4.0},
    fills=("rock", "reggae"),
)

SAMBA = Style(
    name="samba",
    bpm=(84, 116),
    major={
        "verse": choices("""
            Imaj7 % VI7b9 % ii7 % V7 % | I6 % I6 % ii7 % V7 % | Imaj7 VI7 ii7 V7 iii7 VI7 ii7 V7
        """),
        "chorus": choices(
            "IVmaj7 % ivm6 % iii7 VI7b9 ii7 V7 | ii7 V7 Imaj7 VI7b9 | IVmaj7 bVII9 Imaj7 VI7b9 ii7 V7 I6 I6"
        ),
        "bridge": choices("bIIImaj7 % ivm7 bVII7 bIIImaj7 % ii7 V7 | vi7 % II7 % ii7 % V7 %"),
    },
    minor={
        "verse": choices("im7 % iim7b5 V7b9 im7 % iim7b5 V7b9 | im6 % ivm6 % V7b9 % im6 %"),
        "chorus": choices("ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im7 im7"),
        "bridge": choices("bVImaj7 % V7b9 % im7 % im7 %"),
    },
    minor_share=0.35,
    metres={"2/4": 1.0},
    grooves={
        "2/4": Groove(
            4,
            kicks=words("o..xX..x o..oX..o ....X..x"),
            snares=words("x.xx.x.xx.x.x.x. x.x.xx.xx.x.xx.x .x.xx.x.x.xx.x.x ..x..x..x..x.x.."),
            hats=words("xooxxoox xoxxxoxx x.xxx.xx"),
            loud_hats=words("xoxxxoxx x.xxx.xx"),
            loud_hat_pitches=(42, 51),
            snare_pitch=37,
            soft_snare_pitch=37,
            extra=((70, "xooxxoox"), (41, "....X...")),
            pedal="....x...",
        ),
    },
    bass={"2/4": words("R--55--5 R--R5--5 R--55--a R---5--5 ...R5--5")},
    bass_steps=4,
    keys={
        "2/4": words("""
        x.x..x.x .x..x.x. x..x.x..x.x..x.. h--x.h-. .xx..x.xx..x.x.. x.x.x..x.x.x..x.
    """)
    },
    keys_steps=4,
    keys_voicing="rootless",
    strums={"2/4": words("D.d..d.d .d..d.d. D..dD..d d.dd.d.dd.d.d.d.")},
    strum_steps=4,
    lead_modes={"strum": 0.4, "pick": 0.15, "melody": 0.35, "comp": 0.1},
    bass_program=32,
    keys_program=0,
    kit=0,
    other_bass_programs=(33, 35),
    other_keys_programs=(4, 5),
    other_kits=(8, 40),
    short_strums_beats=0.4,
    swing_depth=0.25,
    swing_grid_beats=0.25,
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 3.5), "bass": (0.0, 4.5), "keys": (0.0, 7.0)},
    levels_db={"drums": -2.0, "bass": 0.0, "keys": -3.0},
    fills=("latin",),
    section_bars=(16,),
    crash=False,
)
