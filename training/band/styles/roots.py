"""Shuffle, slow blues, country train, folk strum: what they play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

BLUES_SHUFFLE = Style(
    name="blues_shuffle",
    bpm=(84, 144),
    major={
        "verse": choices("""
            I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7 | I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7 | I7
            IV7 I7 I7 IV7 IV7 I7 VI7 ii7 V7 I7,VI7 ii7,V7 | I7 V7 IV7 IV7 I7 V7 I7 V7
        """),
        "chorus": choices("""
            I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7 | I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7 | I7
            IV7 I7 I7 IV7 IV7 I7 VI7 ii7 V7 I7,VI7 ii7,V7 | I7 V7 IV7 IV7 I7 V7 I7 V7
        """),
        "bridge": choices("IV7 IV7 I7 I7 IV7 IV7 II7 V7"),
    },
    minor={
        "verse": choices("""
            im7 im7 im7 im7 ivm7 ivm7 im7 im7 bVI7 V7 im7 V7 | im7 ivm7 im7 im7 ivm7 ivm7 im7 im7
            iim7b5 V7b9 im7 V7b9
        """),
        "chorus": choices("""
            im7 im7 im7 im7 ivm7 ivm7 im7 im7 bVI7 V7 im7 V7 | im7 ivm7 im7 im7 ivm7 ivm7 im7 im7
            iim7b5 V7b9 im7 V7b9
        """),
        "bridge": choices("ivm7 ivm7 im7 im7 ivm7 ivm7 bVI7 V7"),
    },
    minor_share=0.2,
    grooves={
        "4/4": Groove(
            2,
            kicks=words("X...X... X..xX... X.x.X.x. X...X..x X..xX..x"),
            snares=words("..X...X. ..X...X. ..Xg..Xg .gX..gX."),
            hats=words("XoXoXoXo XxXxXxXx X.XoX.Xo"),
            loud_hats=words("XxXxXxXx X.XxX.Xx"),
            loud_hat_pitches=(51, 42, 51),
            open_hat=words("........ .......O"),
        ),
    },
    bass={
        "4/4": words("R-3-5-6- R-R-5-5- R-3-5-6-8-6-5-3- R-r-5-r- RR335566 R-8-7-5- R-3-5-a-"),
    },
    bass_steps=2,
    keys={
        "4/4": words("..x...x. x..x..x. H------- .x.x.x.x x..h---. ...x...x"),
    },
    keys_steps=2,
    keys_voicing="rootless",
    strums={
        "4/4": words("D.D.D.D. DuDuDuDu D.DuD.Du ..D...D. DdDdDdDd"),
    },
    strum_steps=2,
    lead_modes={"strum": 0.25, "riff": 0.25, "melody": 0.35, "comp": 0.15},
    bass_program=33,
    keys_program=0,
    kit=0,
    other_bass_programs=(32, 35),
    other_keys_programs=(16, 4),
    other_kits=(8, 32),
    swing_depth=1.0,
    walking=0.35,
    kick_lock=0.0,
    timing_ms={"drums": (3.0, 5.0), "bass": (4.0, 5.0), "keys": (4.0, 9.0)},
    levels_db={"drums": 0.0, "bass": 0.0, "keys": -4.0},
    fills=("swing", "rock"),
    section_bars=(12,),
    lead_scale="blues",
)

SLOW_BLUES = Style(
    name="slow_blues",
    bpm=(46, 74),
    major={
        "verse": choices("""
            I7 IV7 I7 I7 IV7 IV7 I7 VI7 ii7 V7 I7,IV7 I7,V7 | I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7
            | I7 IV7 I7,V7 I7 IV7 #IVdim7 I7/5 VI7 II7 V7 I7,IV7 I7,V7
        """),
        "chorus": choices("I7 IV7 I7 I7 IV7 IV7 I7 VI7 ii7 V7 I7,IV7 I7,V7"),
        "bridge": choices("IV7 IV7 I7 I7 IV7 IV7 II7 V7"),
    },
    minor={
        "verse": choices("im7 ivm7 im7 im7 ivm7 ivm7 im7 im7 bVI7 V7#9 im7,ivm7 im7,V7"),
        "chorus": choices("im7 im7 im7 im7 ivm7 ivm7 im7 im7 bVI7 V7 im7 V7"),
        "bridge": choices("bVImaj7 bVImaj7 im7 im7 ivm7 ivm7 V7 V7"),
    },
    minor_share=0.4,
    metres={"12/8": 1.0},
    grooves={
        "12/8": Groove(
            3,
            kicks=words("X.....X..... X....xX..... X..x..X....x X....xX.x..."),
            snares=words("...X.....X.. ...X..g..X.. ...X.....X.g ...X.g...X.g"),
            hats=words("xooxooxooxoo xxxxxxxxxxxx x.xx.xx.xx.x"),
            loud_hats=words("xooxooxooxoo x.xx.xx.xx.x"),
            loud_hat_pitches=(51, 42),
            soft_snare_pitch=37,
        ),
    },
    bass={"12/8": words("R-----5--a-- R--3--5--6-- R--R-r5--5-a R-----R-r5-a R--8--7--5-- R-35-68-65-3")},
    bass_steps=3,
    keys={"12/8": words("H-----h----- HhhHhhHhhHhh ...h--...h-- H--------x.x ..x..x..x..x h-h...h-h...")},
    keys_steps=3,
    keys_voicing="rootless",
    strums={"12/8": words("D--d--d--d-- D-dd-dd-dd-d ...D.....D.. DddDddDddDdd")},
    strum_steps=3,
    lead_modes={"melody": 0.5, "strum": 0.15, "comp": 0.15, "riff": 0.2},
    bass_program=33,
    keys_program=16,
    kit=0,
    other_bass_programs=(32, 35),
    other_keys_programs=(0, 4),
    other_kits=(8, 32),
    walking=0.25,
    kick_lock=0.0,
    timing_ms={"drums": (6.0, 6.0), "bass": (8.0, 7.0), "keys": (6.0, 10.0)},
    levels_db={"drums": -1.0, "bass": 0.5, "keys": -3.0},
    fills=("swing", "rock"),
    section_bars=(12,),
    lead_scale="blues",
)

COUNTRY_TRAIN = Style(
    name="country_train",
    bpm=(84, 128),
    major={
        "verse": choices("""
            I % IV % V % I % | I % I % IV % V % | I I IV I I I V V | I % vi % IV % V %
        """),
        "chorus": choices("IV % I % V % I % | I IV I V I IV V I | IV V I vi IV V I %"),
        "bridge": choices("IV % I % II7 % V7 % | vi % IV % V % V7 %"),
    },
    minor={
        "verse": choices("i % bVII % bVI % V % | i % iv % i % V7 %"),
        "chorus": choices("bIII % bVII % i % V7 % | bVI bVII i % bVI bVII i %"),
        "bridge": choices("iv % i % V7 % V7 %"),
    },
    minor_share=0.15,
    metres={"2/4": 1.0},
    grooves={
        "2/4": Groove(
            4,
            kicks=words("X...X... X...x... x...X.o."),
            snares=words("ooXoooXo goXogoXo goXogoXg oxXooxXo ..X...X."),
            hats=words("........ ..o...o. x.x.x.x."),
            loud_hats=words("x.x.x.x. ..x...x."),
            loud_hat_pitches=(42, 51),
            pedal="..x...x.",
        ),
    },
    bass={"2/4": words("R---5--- R---5--- R---5-a- R---5---R---a--- R---3---5---3---")},
    bass_steps=4,
    keys={"2/4": words("..x...x. ..x...x. H------- ..x..xx. x.x.x.x. H---h---")},
    keys_steps=4,
    keys_voicing="triad",
    strums={"2/4": words("m.d.m.d. m.dum.du D.duD.du m.dudum.dudum.du")},
    strum_steps=4,
    lead_modes={"strum": 0.5, "pick": 0.2, "riff": 0.1, "melody": 0.2},
    lead_programs=(24, 25, 27, 28, 40, 22, 0),
    bass_program=32,
    keys_program=0,
    kit=40,
    other_bass_programs=(33, 34),
    other_keys_programs=(16, 4),
    other_kits=(0, 8),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 3.5), "bass": (0.0, 5.0), "keys": (1.0, 7.0)},
    levels_db={"drums": -1.0, "bass": 0.0, "keys": -4.0},
    fills=("latin", "soft"),
    section_bars=(16,),
)

FOLK_STRUM = Style(
    name="folk_strum",
    bpm=(72, 132),
    major={
        "verse": choices("""
            I V vi IV | I IV I V | I I/3 IV V | I V/3 vi I/5 IV I ii V | I bVII IV I | I iii IV V | I vi ii V
        """),
        "chorus": choices("IV I V vi | IV V I I | vi IV I V | I IV vi V"),
        "bridge": choices("vi iii IV I | ii V I vi | vi V IV V"),
    },
    minor={
        "verse": choices("i bVII bVI bVII | i iv i V | i bIII bVII iv | i v bVI bVII"),
        "chorus": choices("bVI bIII bVII i | bIII bVII i i | iv i V7 i"),
        "bridge": choices("bVI bVII i i | iv iv V7 V7"),
    },
    minor_share=0.3,
    metres={"4/4": 0.5, "3/4": 0.25, "6/8": 0.25},
    metre_bpm={"6/8": (44.0, 76.0), "3/4": (84.0, 150.0)},
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X.......X....... X.....x.X....... X.......x.x..... X...X...X...X..."),
            snares=words("....x.......x... ....x..g....x..g ............x..."),
            hats=words("x.o.x.o.x.o.x.o. x...x...x...x... o.x.o.x.o.x.o.x."),
            loud_hats=words("x.o.x.o.x.o.x.o. x...x...x...x..."),
            loud_hat_pitches=(42, 51),
            soft_snare_pitch=37,
            extra=((70, "xoxoxoxoxoxoxoxo"),),
        ),
        "3/4": Groove(
            4,
            kicks=words("X........... X.........x. X.....x....."),
            snares=words("....x...x... ........x... ....o...x..."),
            hats=words("x...o...o... x.o.o.o.o.o."),
            loud_hats=words("x...x...x... x.o.x.o.x.o."),
            loud_hat_pitches=(51, 42),
            soft_snare_pitch=37,
        ),
        "6/8": Groove(
            3,
            kicks=words("X..... X....x X..x.."),
            snares=words("...x.. ...X.. ...x.g"),
            hats=words("xoxxox xooxoo x.ox.o"),
            loud_hats=words("xoxxox xxxxxx"),
            loud_hat_pitches=(51, 42),
            soft_snare_pitch=37,
        ),
    },
    bass={
        "4/4": words("R-------5------- R-------R-----a- R-----r-5------- R---------------"),
        "3/4": words("R----------- R-------5--- R-------a---"),
        "6/8": words("R----- R--5-- R-rR-a R----a"),
    },
    bass_steps=4,
    keys={
        "4/4": words("H--------------- H-------h------- 0.1.2.1.0.1.2.1. ....x.......x..."),
        "3/4": words("H----------- 0.1.2.1.2.1. ....x...x..."),
        "6/8": words("H----- H--h-- 012121 012210"),
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={
        "4/4": words("D...d.u...u.d.u. D.d.d.u.D.d.d.u. D...D.u.D...D.u. D...d.udu.d.d.u. D---D---d.d.d.u."),
        "3/4": words("D...d.u.d.u. D...d...d... D...d.u.d..."),
        "6/8": words("D-dd-d D-uD-u Ddudud D--d--"),
    },
    strum_steps=4,
    lead_modes={"strum": 0.5, "pick": 0.35, "melody": 0.15},
    lead_programs=(24, 25, 26, 27, 40, 73, 22, 71),
    bass_program=32,
    keys_program=0,
    kit=0,
    other_bass_programs=(33, 35),
    other_keys_programs=(16, 21, 48),
    other_kits=(8, 40),
    kick_lock=0.0,
    timing_ms={"drums": (2.0, 5.0), "bass": (3.0, 6.0), "keys": (3.0, 9.0)},
    levels_db={"drums": -2.0, "bass": 0.0, "keys": -3.0},
    fills=("soft",),
)
