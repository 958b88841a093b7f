"""Funk, disco, soul, hip-hop, gospel: what these bands play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

FUNK = Style(
    name="funk",
    bpm=(88, 124),
    major={
        "verse": choices("I7 | I9 I9 I9 IV9 | I7 IV7 | I9 I9 IV9 I9 | Im7 IV7"),
        "chorus": choices("IV9 IV9 I7 I7 | ii7 V7sus4 I7 I7 | bIII7 IV7 I7 I7"),
        "bridge": choices("IV7 IV7 bVII7 V7#9 | ii7 ii7 V7sus4 V7 | bVI7 bVII7 I7 I7"),
    },
    minor={
        "verse": choices("im7 | im7 IV7 | im9 im9 ivm7 V7#9 | im7 bVII7"),
        "chorus": choices("ivm7 bVII7 im7 im7 | bVImaj7 V7#9 im7 im7 | im7 bIII7 IV7 im7"),
        "bridge": choices("ivm7 ivm7 im7 im7 | bVImaj7 bVII7 im7 V7#9"),
    },
    minor_share=0.6,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("""
                X..x......x..... X.x.......x..x.. X..x..x...x..... X.....x...xx.... X.x....x..x.....
                X..x..xx..x..x.. X.......x.x....x X.x...x...x..x..X..x......xx..x.
            """),
            snares=words("""
                ....X..g.g.gX..g ....X..g....X.gg ..g.X..g.g..X..g ....X..g.g.g..X. ....X.gg.g.gX...
                ....X..X.X..X..g
            """),
            hats=words("xoxoxoxoxoxoxoxo x.x.x.x.x.x.x.x. XoxoXoxoXoxoXoxo x.xox.xox.xox.xo"),
            loud_hats=words("X.x.X.x.X.x.X.x. xoxoxoxoxoxoxoxo"),
            open_hat=words("................ ..............O. ......O.......O. .......O........"),
        ),
    },
    bass={
        "4/4": words("""
            R--R..8.x.57.8.. R.x.R.8...R.7.8. R...x.8.R.x.5.7. R--x..R.x.7.8.x. R..R..x.R.8.7.5.
            R.R...xR..7.R.a. R-----x.8.7.5.7.R--R..x.8.7.5.a. R..xR.8...x7..8.
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            ..x...x..x....x. ....X..x..x..... x..x..x...x..x.. ..xx....x..x.... H-----x....x..x.
            ......X..x....x. .x.x..x..x.x..x.
        """),
    },
    keys_steps=4,
    keys_voicing="rootless",
    strums={
        "4/4": words("""
            d.uud.umd.uud.um ..u.d.umm.u.d.um D.mmd.ummmumd.um m.u.m.udm.u.m.ud d.umm.umd.umm.um
        """),
    },
    strum_steps=4,
    lead_modes={"strum": 0.4, "riff": 0.32, "comp": 0.13, "melody": 0.15},
    bass_program=36,
    keys_program=4,
    kit=0,
    other_bass_programs=(33, 37),
    other_keys_programs=(7, 16),
    other_kits=(8,),
    swing_depth=0.18,
    swing_grid_beats=0.25,
    kick_lock=0.4,
    timing_ms={"drums": (0.0, 3.5), "bass": (2.0, 4.0), "keys": (1.0, 6.0)},
    levels_db={"drums": 0.0, "bass": 1.0, "keys": -4.0},
    fills=("funk", "funk", "rock"),
    lead_scale="blues",
    short_strums_beats=0.22,
)

DISCO = Style(
    name="disco",
    bpm=(108, 130),
    major={
        "verse": choices("Imaj7 vi7 ii7 V7 | ii7 V7 Imaj7 vi7 | I vi IV V | Imaj7 iii7 ii7 V7sus4"),
        "chorus": choices("IVmaj7 V7 iii7 vi7 | I V vi IV | ii7 iii7 IVmaj7 V7sus4"),
        "bridge": choices("vi7 vi7 ii7 ii7 | IVmaj7 iii7 ii7 V7"),
    },
    minor={
        "verse": choices("im7 ivm7 | im7 bVII bVImaj7 V7 | i iv bVII bIII | im7 im7 ivm7 vm7"),
        "chorus": choices("bVImaj7 bVII im7 im7 | ivm7 bVII bIIImaj7 bVImaj7 | i bVI bVII i"),
        "bridge": choices("ivm7 ivm7 V7 V7 | bVImaj7 bVImaj7 bVII V7"),
    },
    minor_share=0.6,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X...X...X...X... X...X...X...X... X...X...X...X..o X...X...X..xX..."),
            snares=words("....X.......X... ....X.......X..g ....X..g.g..X..."),
            hats=words("x.Oxx.Oxx.Oxx.Ox ..O...O...O...O. x.O.x.O.x.O.x.O. xxOxxxOxxxOxxxOx"),
            loud_hats=words("x.O.x.O.x.O.x.O. xxOxxxOxxxOxxxOx"),
            loud_hat_pitches=(42,),
            extra=((54, "....x.......x..."),),
        ),
    },
    bass={
        "4/4": words("""
            R-8-R-8-R-8-R-8- R.8.R.8.R.8.R.88 R..8..R.8.R.8.a. R-8-R-8-5-8-7-8- R.RR8.RR7.RR8.a.
            R-8-R-8-R-8-5-a- R...8.R.R.8.5.8.
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            ..x...x...x...x. H-------h-----x. x..x..x.x..x..x. ..xx..x...xx..x. H---------------
            X..x..X...x.x...
        """),
    },
    keys_steps=4,
    keys_voicing="seventh",
    strums={
        "4/4": words("d.umd.umd.umd.um ..ud..ud..ud..ud D.mud.mud.mud.mu m.udm.udm.udm.ud"),
    },
    strum_steps=4,
    lead_modes={"strum": 0.42, "riff": 0.2, "comp": 0.18, "melody": 0.2},
    bass_program=33,
    keys_program=4,
    kit=0,
    other_bass_programs=(36, 38),
    other_keys_programs=(0, 48, 62),
    other_kits=(8, 25),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 2.5), "bass": (0.0, 3.5), "keys": (1.0, 5.0)},
    levels_db={"drums": 0.0, "bass": 0.5, "keys": -3.0},
    fills=("funk", "rock"),
    short_strums_beats=0.22,
)

SOUL = Style(
    name="soul",
    bpm=(76, 128),
    major={
        "verse": choices("""
            I IV | I vi ii V | Imaj7 ii7 iii7 ii7 | I I IV IV | I V/3 vi I/5 IV iv I V7sus4 | I7 IV7
        """),
        "chorus": choices("IV I IV V | ii7 iii7 IV V | I iii7 IV V7sus4 | IV V iii7 vi7 ii7 V7sus4 I I"),
        "bridge": choices("vi7 III7 vi7 II7 ii7 V7sus4 | IV IV iii7 vi7 ii7 ii7 V7sus4 V7 | bVI bVII I I"),
    },
    minor={
        "verse": choices("im7 ivm7 | im7 bVII bVImaj7 V7 | i i iv iv | im7 IV7"),
        "chorus": choices("bVImaj7 bVII im7 im7 | ivm7 V7 im7 bVImaj7 | ivm7 bVII7 bIIImaj7 V7"),
        "bridge": choices("bVImaj7 bVImaj7 ivm7 V7 | ivm7 ivm7 bVII7 V7"),
    },
    minor_share=0.4,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("""
                X.....x.X....... X..x....X.x..... X.....x...x..x.. X.......X.x...x. X..x..x.X..x....
                X.x.....x.x.....
            """),
            snares=words("....X.......X... ....X..g....X..g X...X...X...X... ....X..g.g..X..."),
            hats=words("x.o.x.o.x.o.x.o. xoxoxoxoxoxoxoxo x.x.x.x.x.x.x.x."),
            loud_hats=words("x.x.x.x.x.x.x.x. x.o.x.o.x.o.x.o."),
            loud_hat_pitches=(51, 42),
            open_hat=words("................ ..............O."),
            extra=((54, "..x...X...x...X."),),
        ),
    },
    bass={
        "4/4": words("""
            R---..R-5-6-8--- R--R..5-6-..5-a- R-....3-5-..R-a- R--5..8.R--5..a. R-R-..3-4-..5-a-
            R---5---6---5---
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
        ....x.......x... H-------h------- x...x...x...x... H-----x.h-----x. ..x...x...x...x. H-----------h-h-
    """)
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={"4/4": words("....d.......d... ....D.u.....D.u. d..ud..ud..ud..u ..m.D.m...m.D.m.")},
    strum_steps=4,
    lead_modes={"strum": 0.3, "pick": 0.1, "riff": 0.15, "comp": 0.25, "melody": 0.2},
    bass_program=33,
    keys_program=16,
    kit=0,
    other_bass_programs=(32, 35),
    other_keys_programs=(4, 0, 61),
    other_kits=(8,),
    short_strums_beats=0.3,
    swing_depth=0.15,
    swing_grid_beats=0.25,
    kick_lock=0.2,
    timing_ms={"drums": (2.0, 4.0), "bass": (4.0, 5.0), "keys": (2.0, 7.0)},
    levels_db={"drums": 0.0, "bass": 1.0, "keys": -4.0},
    fills=("funk", "soft", "rock"),
)

HIP_HOP = Style(
    name="hip_hop",
    bpm=(74, 102),
    major={
        "verse": choices("Imaj7 iii7 | ii7 V7 Imaj7 vi7 | IVmaj7 iii7 | Imaj9 ivm9"),
        "chorus": choices("IVmaj7 V7 iii7 vi7 | ii9 iii7 IVmaj7 V7sus4"),
        "bridge": choices("IVmaj7 ivm7 Imaj7 Imaj7 | ii7 ii7 V7sus4 V7"),
    },
    minor={
        "verse": choices("im9 | im7 bVImaj7 | im7 ivm7 | im9 bVImaj7 ivm7 V7#9 | im7 bVII7"),
        "chorus": choices("bVImaj7 bVII im7 im7 | im7 bVImaj7 bIIImaj7 bVII | ivm9 V7#9 im9 im9"),
        "bridge": choices("ivm7 ivm7 im7 im7 | bVImaj7 bVImaj7 V7 V7"),
    },
    minor_share=0.75,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("""
                X......x..x..... X..x......x..x.. X.x.......x....x X.....x...x.x... X......xX.x.....
                X..x...x..x.....X..x......xx..x.
            """),
            snares=words("....X.......X... ....X.......X... ....X..g....X.g. ....X.....g.X..g"),
            hats=words("x.o.x.o.x.o.x.o. xoxoxoxoxoxoxoxo x.xox.x.x.xox.xo"),
            loud_hats=words("x.x.x.x.x.x.x.x. xoxxxoxoxoxxxoxo"),
            loud_hat_pitches=(42,),
            open_hat=words("................ .......O........ ..............O."),
        ),
    },
    bass={
        "4/4": words("""
            R------R--5----- R--R......R--a-- R---------R-8--- R-....8-R-7-5-.. R-----..--R---a-
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
        H--------------- H-----h-........ ..x...x.....x... H--h--h--------- x..x..h---....x. 0.1.2.3.2.1.0...
    """)
    },
    keys_steps=4,
    keys_voicing="rootless",
    strums={"4/4": words("d..u..d...u..... D---......d.u... ..d...d...d...d.")},
    strum_steps=4,
    lead_modes={"pick": 0.25, "riff": 0.3, "comp": 0.2, "melody": 0.15, "strum": 0.1},
    bass_program=38,
    keys_program=4,
    kit=25,
    other_bass_programs=(39, 33),
    other_keys_programs=(5, 0, 48),
    other_kits=(24, 8, 0),
    swing_depth=0.4,
    swing_grid_beats=0.25,
    kick_lock=0.6,
    timing_ms={"drums": (0.0, 3.0), "bass": (6.0, 5.0), "keys": (6.0, 9.0)},
    levels_db={"drums": 1.0, "bass": 2.0, "keys": -5.0},
    fills=("soft", "funk"),
    crash=False,
)

GOSPEL = Style(
    name="gospel",
    bpm=(72, 132),
    major={
        "verse": choices("""
            I I7/3 IV #IVdim7 I/5 VI7 ii7 V7sus4 | I IV/1 I I7 IV iv I/5 V7sus4 | I III7/5 vi I7/5 IV I/3 ii7 V7sus4
            | I V/3 vi II7 IV IV I V
        """),
        "chorus": choices(
            "IV #IVdim7 I/5 VI7 ii7 V7 I I7 | I I7 IV #IVdim7 I/5 V7sus4 I I | vi7 II7 ii7 V7sus4 I7 IV I I"
        ),
        "bridge": choices("III7 III7 vi vi II7 II7 V7sus4 V7 | IV IV iii7 VI7 ii7 ii7 V7sus4 V7"),
    },
    minor={
        "verse": choices("i V7/3 i7 iv6 i/5 bVI7 V7sus4 V7 | im7 ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im7"),
        "chorus": choices("ivm7 bVII7 bIIImaj7 bVImaj7 iim7b5 V7b9 im7 im7"),
        "bridge": choices("bVImaj7 bVII7 im7 im7 | ivm7 V7b9 im7 im7"),
    },
    minor_share=0.2,
    metres={"4/4": 0.5, "6/8": 0.2, "12/8": 0.3},
    metre_bpm={"6/8": (46.0, 72.0), "12/8": (48.0, 84.0)},
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X.....x.X.x..... X..x..x.X..x.... X...x...X...x... X.......X.x...x."),
            snares=words("....X.......X... ....X..g.g..X..g ....X.......X.gg"),
            hats=words("x.o.x.o.x.o.x.o. xoxoxoxoxoxoxoxo"),
            loud_hats=words("x.x.x.x.x.x.x.x. X.x.X.x.X.x.X.x."),
            loud_hat_pitches=(51, 42),
            open_hat=words("................ ..............O."),
            extra=((54, "....x.......x..."),),
        ),
        "6/8": Groove(
            3,
            kicks=words("X..... X....x X..xx."),
            snares=words("...X.. ...X.. ...X.g"),
            hats=words("xoxxox xxxxxx x.xx.x"),
            loud_hats=words("xoxxox xxxxxx"),
            loud_hat_pitches=(51, 42),
            soft_snare_pitch=37,
        ),
        "12/8": Groove(
            3,
            kicks=words("X.....X..... X....xX..... X..x..X....x X....xX.x..."),
            snares=words("...X.....X.. ...X..g..X.. ...X.....X.g"),
            hats=words("xooxooxooxoo x.xx.xx.xx.x xxxxxxxxxxxx"),
            loud_hats=words("xooxooxooxoo x.xx.xx.xx.x"),
            loud_hat_pitches=(51, 42),
            extra=((54, "...x.....x.."),),
        ),
    },
    bass={
        "4/4": words("R---..R-5---R-a- R--R..5-8-..5-a- R-R-3-3-5-5-a-a- R-----R-5-6-8-a-"),
        "6/8": words("R----- R--5-- R--R-a R-5R-a"),
        "12/8": words("R-----R--5-- R--3--5--a-- R-rR-rR-r5-a R----R5----a"),
    },
    bass_steps=4,
    keys={
        "4/4": words("H-------h------- H-..h-..H-..h-.. H---h---h---h--- x..x..h-..x.h-.. ..x...x...x...x."),
        "6/8": words("H----- H--h-- HhhHhh h-hh-h"),
        "12/8": words("H-----h----- HhhHhhHhhHhh H--h--H--h-- h-hh-hh-hh-h ...h-x...h-x"),
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={
        "4/4": words("D.d.D.d.D.d.D.u. ....d.......d... D...d.u.D...d.u."),
        "6/8": words("D-d.du Dddddd D--d--"),
        "12/8": words("D-dd-dd-dd-d D--d--d--d-- DddDddDddDdd"),
    },
    strum_steps=4,
    lead_modes={"comp": 0.5, "strum": 0.15, "melody": 0.25, "pick": 0.1},
    bass_program=33,
    keys_program=16,
    kit=0,
    other_bass_programs=(35, 36),
    other_keys_programs=(0, 18, 52),
    other_kits=(8,),
    kick_lock=0.2,
    timing_ms={"drums": (1.0, 4.0), "bass": (3.0, 5.0), "keys": (2.0, 7.0)},
    levels_db={"drums": 0.0, "bass": 0.5, "keys": -3.0},
    fills=("funk", "rock"),
)
