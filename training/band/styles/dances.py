"""Bluegrass, valse musette, the ballad in six eight: what these bands play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

BLUEGRASS = Style(
    name="bluegrass",
    bpm=(104, 150),
    major={
        "verse": choices("I % IV I I % V V | I I IV IV I V I I | I % % IV I % V I | I V I IV I V I I"),
        "chorus": choices("IV IV I I IV IV V V | IV I IV I I V I I | I IV I V I IV V I"),
        "bridge": choices("vi vi IV IV I V I I | II7 II7 V V | bVII bVII I I V V I I"),
    },
    minor={
        "verse": choices("i % bVII % i % bVII i | i i iv i i bVII i i | i bVII i V i bVII V i"),
        "chorus": choices("bIII bVII i i bIII bVII i V | iv i iv i bVII bVII i i"),
        "bridge": choices("bVI bVI bVII bVII i i V V"),
    },
    minor_share=0.2,
    metres={"2/4": 1.0},
    grooves={
        "2/4": Groove(
            4,
            kicks=words("X...X... X....... X...x..."),
            snares=words("..X...X. ..X...Xg ..X.g.X. .gX..gXg"),
            hats=words("........ o...o... ..x...x."),
            loud_hats=words("x...x... o.x.o.x."),
            hat_pitch=44,
            loud_hat_pitches=(44,),
        ),
    },
    bass={"2/4": words("R---5--- R-..5-.. R---5-a- R---a--- R---5---R-3-5-a- R---5---R---a-a-")},
    bass_steps=4,
    keys={"2/4": words("..x...x. ..x...xx ..x.x.x. 02130213 01230132 20312031..x...x.")},
    keys_steps=4,
    keys_voicing="triad",
    strums={"2/4": words("d.Dud.Du D.d.D.du ..d...d. dudududu")},
    strum_steps=4,
    lead_modes={"pick": 0.4, "strum": 0.25, "melody": 0.35},
    bass_program=32,
    keys_program=105,
    kit=40,
    other_bass_programs=(33,),
    other_keys_programs=(24, 25, 0),
    other_kits=(32, 0),
    walking=0.1,
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 3.0), "bass": (-1.0, 4.0), "keys": (0.0, 5.0)},
    levels_db={"drums": -6.0, "bass": 1.5, "keys": -1.0},
    fills=("soft",),
    section_bars=(16,),
    crash=False,
    short_strums_beats=0.3,
)

MUSETTE = Style(
    name="musette",
    bpm=(150, 204),
    major={
        "verse": choices("I I V7 V7 V7 V7 I I | I VI7 ii ii ii V7 I I | I I I I V7 V7 V7 V7 ii V7 ii V7 I I I I"),
        "chorus": choices("IV IV I I V7 V7 I I7 | I I7 IV iv I V7 I I | ii V7 I VI7 ii V7 I I"),
        "bridge": choices("III7 III7 vi vi II7 II7 V7 V7 | vi vi III7 III7 III7 III7 vi V7"),
    },
    minor={
        "verse": choices("i i i V7 V7 V7 V7 i | i i iv iv V7 V7 i i | i V7 i V7 iv i V7 i"),
        "chorus": choices("bIII bIII bVII7 bVII7 V7 V7 i i | iv iv i i V7 V7 i i | iv bVII7 bIII bVI iim7b5 V7 i i"),
        "bridge": choices("bVI bVI bIII bIII V7 V7 i V7 | iv iv i i II7 II7 V7 V7"),
    },
    minor_share=0.55,
    metres={"3/4": 1.0},
    grooves={
        "3/4": Groove(
            2,
            kicks=words("X..... X..... x....."),
            snares=words("..x.x. ..o.o. ..x.xo"),
            hats=words("..x.x. x.x.x. ......"),
            loud_hats=words("x.x.x. ..x.xx"),
            hat_pitch=44,
            loud_hat_pitches=(44, 42),
        ),
    },
    bass={
        "3/4": words("""
            R-....5-.... R---..5---a- R-..5-R-..5- R-..5-R-..a- R-....5-..3- R-..3-5-..a-
        """)
    },
    bass_steps=2,
    keys={"3/4": words("..x.x. ..X.x. ..x.x...x.xx ..h-x. ..x.x...h---")},
    keys_steps=2,
    keys_voicing="triad",
    strums={"3/4": words("..d.d. D.d.d. ..d.du")},
    strum_steps=2,
    lead_modes={"melody": 0.6, "pick": 0.15, "strum": 0.15, "comp": 0.1},
    bass_program=32,
    keys_program=21,
    kit=40,
    other_bass_programs=(33,),
    other_keys_programs=(24, 0, 23),
    other_kits=(32, 0),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 3.5), "bass": (0.0, 4.5), "keys": (2.0, 6.0)},
    levels_db={"drums": -4.0, "bass": 1.0, "keys": -2.0},
    fills=("soft",),
    section_bars=(16,),
    crash=False,
    short_strums_beats=0.4,
)

SIX_EIGHT_BALLAD = Style(
    name="six_eight_ballad",
    bpm=(46, 76),
    major={
        "verse": choices("I vi IV V | I iii IV V | I V/3 vi IV | I vi ii V | Imaj7 iii7 IV iv"),
        "chorus": choices("IV V iii vi | I V vi IV | IV I V vi | IV iv I V"),
        "bridge": choices("vi iii IV V | ii iii IV V7 | IV iv I VI7 ii II7 V V7"),
    },
    minor={
        "verse": choices("i bVI bIII bVII | i bVII bVI V7 | i iv bVII bIII | i i iv V7"),
        "chorus": choices("bVI bVII i i | iv bVII bIII bVI | i V7 bVI bIII iv i V7 V7"),
        "bridge": choices("bVI bVI bVII V7 | iv iv bIII V7"),
    },
    minor_share=0.35,
    metres={"12/8": 0.6, "6/8": 0.4},
    grooves={
        "6/8": Groove(
            3,
            kicks=words("X..... X....x X.x..."),
            snares=words("...X.. ...X.. ...X.g"),
            hats=words("xoxxox xxxxxx xooxoo"),
            loud_hats=words("xxxxxx xoxxox"),
            loud_hat_pitches=(51, 42),
            soft_snare_pitch=37,
        ),
        "12/8": Groove(
            3,
            kicks=words("X.....X..... X....xX..... X.....X.x... X.....X..x.."),
            snares=words("...X.....X.. ...X.....X.. ...X.....X.g"),
            hats=words("xooxooxooxoo xxxxxxxxxxxx xoxxoxxoxxox"),
            loud_hats=words("xxxxxxxxxxxx xooxooxooxoo"),
            loud_hat_pitches=(51, 42),
            soft_snare_pitch=37,
        ),
    },
    bass={
        "6/8": words("R----- R--5-- R----a R--R-a"),
        "12/8": words("R-----R--5-a R-----5----- R--R--5--5-a R-----R----- R----R5--3-a"),
    },
    bass_steps=3,
    keys={
        "6/8": words("012321 HhhHhh H--h-- 012012 H-----"),
        "12/8": words("012321012321 HhhHhhHhhHhh H-----h----- 012012012012 H--h--H--h-- 0123210123h-"),
    },
    keys_steps=3,
    keys_voicing="triad",
    strums={"6/8": words("D-ddud D--d-- D-dD-d"), "12/8": words("D-ddudD-ddud D--d--D--d-- DddDddDddDdd")},
    strum_steps=3,
    lead_modes={"pick": 0.35, "strum": 0.25, "melody": 0.3, "comp": 0.1},
    bass_program=33,
    keys_program=0,
    kit=0,
    other_bass_programs=(32, 35),
    other_keys_programs=(4, 48),
    other_kits=(8, 40),
    kick_lock=0.1,
    timing_ms={"drums": (3.0, 5.0), "bass": (4.0, 6.0), "keys": (3.0, 8.0)},
    levels_db={"drums": -1.0, "bass": 0.5, "keys": -2.0},
    fills=("rock", "soft"),
)
