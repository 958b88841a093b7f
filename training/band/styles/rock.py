"""Rock, pop ballad, metal, odd five: what these bands play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

ROCK = Style(
    name="rock",
    bpm=(92, 176),
    major={
        "verse": choices("""
            I bVII IV I | I IV V IV | I I IV V | I bIII IV I | I V IV IV | I bVII bVI bVII | I IV
            bVII IV | vi IV I V | I V vi IV
        """),
        "chorus": choices("""
            I bVII IV I | I IV V IV | I I IV V | I bIII IV I | I V IV IV | I bVII bVI bVII | I IV
            bVII IV | vi IV I V | I V vi IV | I V vi IV | vi IV I V | I vi IV V | I IV vi V | IV I V
            vi
        """),
        "bridge": choices("vi IV vi V | IV I IV V | bVI bVII I I | ii IV V V"),
    },
    minor={
        "verse": choices("""
            i bVI bIII bVII | i bVII bVI bVII | i iv bVI V | i bIII bVII iv | i iv bVII bIII | i v
            bVI bVII | bVI bVII i i | i bVI iv V7
        """),
        "chorus": choices("""
            i bVI bIII bVII | i bVII bVI bVII | i iv bVI V | i bIII bVII iv | i iv bVII bIII | i v
            bVI bVII | bVI bVII i i | i bVI iv V7
        """),
        "bridge": choices("bVI bVII i i | iv i iv V | bIII bVII iv V"),
    },
    minor_share=0.4,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("""
                X.......X....... X.......X.x..... X.....x.X....... X..x....X.x..... X.x.....X.x...x.
                X.....x...x..... X.......x.x...x. X..x..x.X....... X.....xxX.......
                X.......X.......X.x.....X.x..... X.....x.X.x.....X..x..x...x.....
            """),
            snares=words("""
                ....X.......X... ....X.......X... ....X..g.g..X... ....X.......X..? ....X..?....X..g
            """),
            hats=words("x.o.x.o.x.o.x.o. x.x.x.x.x.x.x.x. xoxoxoxoxoxoxoxo X.o.X.o.X.o.X.o."),
            loud_hats=words("X.x.X.x.X.x.X.x. X...X...X...X... x.x.x.x.x.x.x.x."),
            loud_hat_pitches=(51, 46, 42, 51),
            open_hat=words("................ ..............O. ......O......... ................"),
        ),
    },
    bass={
        "4/4": words("""
            R-r-R-r-R-r-R-r- R-r-R-r-R-r-R-a- R-----r-R------- R--R--R-R-5-R-a- R-------R-r---a-
            R-R-..R-R-R-..a- R-r-R-r-5-5-8-5- R--r--R-..R-5-R- R-----8-5-----a- R-r-r-r-R-r-7-8-
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            H-------h------- H--------------- H-----h---h----- X...X...X...X... H-..h-..H-..h-..
            H-------..h-h---
        """),
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={
        "4/4": words("""
            D.d.D.d.D.d.D.d. D...d.u...u.d.u. D.d.d.udu.d.d.u. D.m.m.D.m.m.D.u. D---D---D.d.D.u.
            D.mmD.mmD.mmD.u. D.d.d.d.d.d.d.d.
        """),
    },
    strum_steps=4,
    lead_modes={"strum": 0.32, "power": 0.25, "riff": 0.18, "pick": 0.1, "melody": 0.1, "comp": 0.05},
    bass_program=33,
    keys_program=16,
    kit=0,
    other_bass_programs=(34, 36),
    other_keys_programs=(0, 18, 2),
    other_kits=(16, 8),
    kick_lock=0.6,
    timing_ms={"drums": (0.0, 4.0), "bass": (1.0, 5.0), "keys": (2.0, 7.0)},
    levels_db={"drums": 0.0, "bass": 0.0, "keys": -4.0},
    fills=("rock", "rock", "soft"),
)

POP_BALLAD = Style(
    name="pop_ballad",
    bpm=(60, 92),
    major={
        "verse": choices("""
            I V vi IV | vi IV I V | I vi IV V | I IV vi V | IV I V vi | I iii IV V | I V/3 vi IV | I
            V ii IV | I Isus4,I IV V | I IV I V | I ii IV V | IV V iii vi | I V/3 vi V IV I/3 ii V |
            Imaj7 vi7 IVmaj7 V7sus4 | I V/3 vi I/5 IV I/3 ii7 V | I iii7 IV iv
        """),
        "chorus": choices("""
            I V vi IV | vi IV I V | I vi IV V | I IV vi V | IV I V vi | I iii IV V | I V/3 vi IV | I
            V ii IV | I Isus4,I IV V | I IV I V | I ii IV V | IV V iii vi | I V/3 vi V IV I/3 ii V |
            IV V I/3 IV,V | I V vi7 IVmaj7
        """),
        "bridge": choices("vi iii IV I | ii7 V7 iii7 vi | IV V iii7 vi | bVI bVII I I"),
    },
    minor={
        "verse": choices("""
            i bVI bIII bVII | i bVII bVI bVII | i iv bVI V | i bIII bVII iv | i iv bVII bIII | i v
            bVI bVII | bVI bVII i i | i bVI iv V7 | im7 bVImaj7 ivm7 bVII
        """),
        "chorus": choices("""
            i bVI bIII bVII | i bVII bVI bVII | i iv bVI V | i bIII bVII iv | i iv bVII bIII | i v
            bVI bVII | bVI bVII i i | i bVI iv V7
        """),
        "bridge": choices("bVI bIII iv V7 | iv bVII bIII bVI"),
    },
    minor_share=0.3,
    metres={"4/4": 0.82, "3/4": 0.18},
    grooves={
        "4/4": Groove(
            4,
            kicks=words("""
                X.......X....... X.......X.x..... X.....x...x..... X......xX....... X.........x.....
                X.....x.X....... X.......x.....x.
            """),
            snares=words("....X.......X... ....x.......x... ....X.......X..g ........X......."),
            hats=words("x.o.x.o.x.o.x.o. xoooxoooxoooxooo x...x...x...x... x.o.o.o.x.o.o.o."),
            loud_hats=words("x.o.x.o.x.o.x.o. x...x...x...x... x.xox.xox.xox.xo"),
            loud_hat_pitches=(51, 51, 42),
            soft_snare_pitch=37,
        ),
        "3/4": Groove(
            4,
            kicks=words("X........... X.....x..... X.........x."),
            snares=words("....x...x... ........X... ....X......."),
            hats=words("x.o.x.o.x.o. x...o...o... x.o.o.o.o.o."),
            loud_hats=words("x...x...x... x.o.x.o.x.o."),
            loud_hat_pitches=(51, 42),
            soft_snare_pitch=37,
        ),
    },
    bass={
        "4/4": words("""
            R-------R-----a- R--------------- R-----r-R-----5- R-------5------- R-----R---5---a- R-----------5-a-
        """),
        "3/4": words("R----------- R-------5--- R-------a--- R---5---8---"),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            H--------------- H-------h------- 0.1.2.1.0.1.2.1. H---h---h---h--- 0.1.2.3.2.1.2.1.
            H-----h-h-----h- 0.2.1.2.0.2.1.2.
        """),
        "3/4": words("H----------- 0.1.2.1.2.1. H---h---h--- 0.1.2.3.2.1."),
    },
    keys_steps=4,
    keys_voicing="triad",
    strums={
        "4/4": words("""
            D...d.u...u.d.u. D-------D------- D...d...d...d.u. D...D.u.D...D.u. D...d.udu.d.d.u. D-------d---d.u.
        """),
        "3/4": words("D...d.u.d.u. D----------- D...d...d... D...d...d.u."),
    },
    strum_steps=4,
    lead_modes={"strum": 0.27, "pick": 0.3, "comp": 0.25, "melody": 0.18},
    bass_program=33,
    keys_program=0,
    kit=0,
    other_bass_programs=(35, 32),
    other_keys_programs=(4, 5, 88),
    other_kits=(8,),
    timing_ms={"drums": (3.0, 4.5), "bass": (5.0, 6.0), "keys": (4.0, 9.0)},
    levels_db={"drums": -1.5, "bass": 0.0, "keys": -2.0},
    fills=("soft", "soft", "rock"),
)

METAL = Style(
    name="metal",
    bpm=(96, 208),
    major={
        "verse": choices("I5 I5 bVII5 IV5 | I5 bII5 I5 bIII5 | I5 bIII5 IV5 bVI5"),
        "chorus": choices("bVI5 bVII5 I5 I5 | I5 bVII5 bVI5 V5 | IV5 bVI5 I5 bVII5"),
        "bridge": choices("bII5 bII5 I5 I5 | bVI5 bVI5 bVII5 bVII5"),
    },
    minor={
        "verse": choices("i5 i5 bVI5 bVII5 | i5 bII5 i5 bIII5 | i5 i5 i5 bII5 | i5 bVI5 bIII5 bVII5"),
        "chorus": choices("i5 bVI5 bIII5 bVII5 | bVI5 bVII5 i5 i5 | i5 bVII5 bVI5 bVII5"),
        "bridge": choices("i5 i5 bII5 bII5 | bVI5 bVI5 V5 V5 | iv5 bVI5 bVII5 bII5"),
    },
    minor_share=0.9,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("""
                X.xxX.xxX.xxX.xx XxxxXxxxXxxxXxxx X.x.X.x.X.x.X.x. X..x..x.X..x..x. X.....x.X.xx....
                X.xxX.x.X.xxX.x. X.......X.......
            """),
            snares=words("....X.......X... ........X....... ....X.......X... ..X...X...X...X."),
            hats=words("X...X...X...X... x.x.x.x.x.x.x.x. X.x.X.x.X.x.X.x."),
            loud_hats=words("X...X...X...X... X.x.X.x.X.x.X.x."),
            loud_hat_pitches=(49, 51, 46),
        ),
    },
    bass={
        "4/4": words("""
            R-rrR-rrR-rrR-rr RrrrRrrrRrrrRrrr R-r-R-r-R-r-R-r- R--R--R-R--R--a- R-----R-R-rr--a-
        """),
    },
    bass_steps=4,
    keys={"4/4": words("H--------------- H-------h------- H-----h-----h---")},
    keys_steps=4,
    keys_voicing="power",
    strums={
        "4/4": words("""
            D.mmD.mmD.mmD.mm DmmmDmmmDmmmDmmm D.m.m.m.D.m.m.m. D..D..D.D..D..m. D-----D-D.mm..D. D-------D-------
        """),
    },
    strum_steps=4,
    lead_modes={"power": 0.6, "riff": 0.22, "melody": 0.18},
    lead_programs=(27, 28, 29, 30),
    bass_program=34,
    keys_program=48,
    kit=16,
    other_bass_programs=(33,),
    other_keys_programs=(50, 52, 19),
    other_kits=(0,),
    kick_lock=0.9,
    timing_ms={"drums": (0.0, 2.5), "bass": (0.0, 3.5), "keys": (2.0, 6.0)},
    levels_db={"drums": 1.0, "bass": 0.0, "keys": -6.0},
    fills=("rock",),
)

ODD_FIVE = Style(
    name="odd_five",
    bpm=(100, 180),
    major={
        "verse": choices("Imaj7 IVmaj7 | I,bVII IV | I,IV bVII,IV | Imaj7,vi7 ii7,V7"),
        "chorus": choices("IV V I I | IVmaj7 iii7 ii7 V7 | bVII IV I I"),
        "bridge": choices("vi7 vi7 ii7 V7 | bVImaj7 bVII7 I I"),
    },
    minor={
        "verse": choices("im7,vm7 | im7,bVII | im7,ivm7 im7,V7 | i,bVI iv,V7"),
        "chorus": choices("bVImaj7 ivm7 bIIImaj7 V7 | bVI bVII i i | ivm7 bVII7 bIIImaj7 V7"),
        "bridge": choices("ivm7 ivm7 im7 im7 | bVImaj7 bVImaj7 V7 V7"),
    },
    minor_share=0.65,
    metres={"5/4": 1.0},
    grooves={
        "5/4": Groove(
            2,
            kicks=words("X..x..x... X.....X... X..xX..x.. X...X.x..."),
            snares=words("..X.....X. ....X...X. ......X..g ..X...g.X."),
            hats=words("x.xox.xox. xoxoxoxoxo x.x.x.x.x."),
            loud_hats=words("X.xxX.xxX. x.x.x.x.x. xoxxoxxoxo"),
            loud_hat_pitches=(51, 42),
            pedal="..x...x.x.",
        ),
    },
    bass={"5/4": words("R--5--R-5- R--R--5-a- R-----R-5- R-5-8-R-a- R---5-R---")},
    bass_steps=2,
    keys={"5/4": words("x..x..h-x. h-----h--- x..h--x.x. h--h--h-h- ..x..xh---")},
    keys_steps=2,
    keys_voicing="seventh",
    strums={"5/4": words("D..D..D.D. D.d.duD.du D.dud.D.d. D-----D-d.")},
    strum_steps=2,
    lead_modes={"strum": 0.25, "comp": 0.25, "riff": 0.25, "melody": 0.25},
    bass_program=33,
    keys_program=4,
    kit=0,
    other_bass_programs=(32, 34),
    other_keys_programs=(0, 16),
    other_kits=(32, 8),
    swing_depth=0.35,
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 4.0), "bass": (2.0, 5.0), "keys": (2.0, 7.0)},
    levels_db={"drums": -1.0, "bass": 0.0, "keys": -3.0},
    fills=("soft", "rock"),
)
