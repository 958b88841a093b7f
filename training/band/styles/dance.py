"""House, drum and bass, afrobeat: what these bands play. Data only; `style` explains the letters."""

from __future__ import annotations

from ..style import (
    Groove,
    Style,
    choices,
    words,
)

AFROBEAT = Style(
    name="afrobeat",
    bpm=(94, 122),
    major={
        "verse": choices("I7 | I7 I7 IV7 IV7 | I7 bVII7 | I9 I9 IV9 I9"),
        "chorus": choices("IV7 I7 IV7 I7 | ii7 V7 I7 I7 | IV9 V9 I7 I7"),
        "bridge": choices("IV7 IV7 V7 V7 | bVII7 IV7 I7 I7"),
    },
    minor={
        "verse": choices("im7 | im7 ivm7 | im7 im7 bVII7 bVII7 | im9 im9 ivm7 ivm7 | im7 vm7"),
        "chorus": choices("ivm7 im7 ivm7 im7 | bVII7 im7 | ivm9 vm7 im7 im7"),
        "bridge": choices("ivm7 ivm7 vm7 vm7 | bVII7 bVII7 im7 im7"),
    },
    minor_share=0.75,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X..x......X..... X.....X...X..x.. X.x.......X..... X..x..X...x..x.. X...x.....X..x.."),
            snares=words("..g.g..x..g.g..X ...g..X..g.gX..g ..g.X..g.gx.X..g ....g..X.g..g.X. ..x.g..X..g.x..g"),
            hats=words("x.xxx.x.x.xxx.x. x.x.xxx.x.x.xxx. xxx.x.xxx.xxx.x. x.xxx.xxx.x.x.xx"),
            loud_hats=words("x.xxx.x.x.xxx.x. X.xxX.x.X.xxX.xx"),
            loud_hat_pitches=(42, 51),
            open_hat=words("................ ......O.......O. ..O.......O....."),
            extra=((69, "x.x.x.xxx.x.x.xx"),),
        ),
    },
    bass={
        "4/4": words("""
            R.R.5.8...7.5.7. R...R.7.R...5.7. R.R...R.8.7.5... R.5.7.R.....5.7. R...5.7.8...7.5.
            R.R.5...R.7.5.a.R.R.5...8.7.5.7.
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            ..x..x....x..x.. ..x...x...x...x. x..x..x...x.x... ..xx..x...xx..x. ...x..x....x..x.
            ..x..x..x.x..x..
        """)
    },
    keys_steps=4,
    keys_voicing="seventh",
    strums={"4/4": words("d.ud.ud.d.ud.ud. ..u.d.u...u.d.u. m.dum.dum.dum.du")},
    strum_steps=4,
    lead_modes={"riff": 0.4, "strum": 0.3, "melody": 0.2, "comp": 0.1},
    bass_program=33,
    keys_program=16,
    kit=0,
    other_bass_programs=(34, 36),
    other_keys_programs=(4, 7, 61),
    other_kits=(8,),
    swing_depth=0.15,
    swing_grid_beats=0.25,
    kick_lock=0.1,
    timing_ms={"drums": (0.0, 3.5), "bass": (2.0, 4.5), "keys": (1.0, 6.0)},
    levels_db={"drums": 0.0, "bass": 1.0, "keys": -4.0},
    fills=("funk", "latin"),
    lead_scale="blues",
    crash=False,
    short_strums_beats=0.22,
)

HOUSE = Style(
    name="house",
    bpm=(116, 129),
    major={
        "verse": choices("vi7 IVmaj7 Imaj7 V7 | ii7 vi7 | IVmaj7 V vi7 vi7 | Imaj7 iii7"),
        "chorus": choices("IVmaj7 V iii7 vi7 | ii7 iii7 IVmaj7 V | vi7 IVmaj7 Imaj7 V7"),
        "bridge": choices("ii7 ii7 vi7 vi7 | IVmaj7 IVmaj7 V7 V7"),
    },
    minor={
        "verse": choices("im7 | im7 ivm7 | im9 bVImaj7 | im7 bVII bVImaj7 bVII | im7 vm7"),
        "chorus": choices("bVImaj7 bVII im7 im7 | ivm7 im7 bVImaj7 bVII | im7 bIII bVII ivm7"),
        "bridge": choices("ivm7 ivm7 im7 im7 | bVImaj7 bVImaj7 bVII bVII"),
    },
    minor_share=0.8,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X...X...X...X... X...X...X...X... X...X...X...X..o"),
            snares=words("....X.......X... ....X.......X..x ....X..o....X..."),
            hats=words("..O...O...O...O. o.Oxo.Oxo.Oxo.Ox x.O.x.O.x.O.x.O."),
            loud_hats=words("xxOxxxOxxxOxxxOx x.O.x.O.x.O.x.O."),
            loud_hat_pitches=(42,),
            snare_pitch=39,
            soft_snare_pitch=39,
            extra=((70, "o.xoo.xoo.xoo.xo"),),
        ),
    },
    bass={
        "4/4": words("""
            ..R-..R-..R-..R- R..R..R...R.R... R.....R-..R-..8- ..R-..R-..5-..7- R..R..8.R..R..7. ..R.R.8...R.7.a.
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            x..x..x...x..x.. x..x..x..x..x... H---------h--h-- ..x..x..x.x..x.. X..X..X.X..X..X. H-----h-----h---
            x..x..x...x..x..x..x..x.x.x.x...
        """)
    },
    keys_steps=4,
    keys_voicing="seventh",
    strums={"4/4": words("..d...d...d...d. d..d..d...d..d.. ..ud..ud..ud..ud")},
    strum_steps=4,
    lead_modes={"riff": 0.3, "comp": 0.3, "strum": 0.2, "melody": 0.2},
    bass_program=38,
    keys_program=1,
    kit=25,
    other_bass_programs=(39, 33),
    other_keys_programs=(0, 16, 89),
    other_kits=(24, 0),
    kick_lock=0.0,
    timing_ms={"drums": (0.0, 2.0), "bass": (0.0, 3.0), "keys": (0.0, 4.0)},
    levels_db={"drums": 1.0, "bass": 1.5, "keys": -3.0},
    fills=("soft", "funk"),
    short_strums_beats=0.22,
)

DRUM_AND_BASS = Style(
    name="drum_and_bass",
    bpm=(160, 178),
    major={
        "verse": choices("Imaj7 % vi7 % | IVmaj7 % Imaj7 % | vi7 % IVmaj7 V"),
        "chorus": choices("IVmaj7 V vi7 vi7 | ii7 % IVmaj7 V"),
        "bridge": choices("IVmaj7 % iii7 % | ii7 % V7 %"),
    },
    minor={
        "verse": choices("im7 % bVImaj7 % | im9 % ivm9 % | im7 % % % | im7 % bVII %"),
        "chorus": choices("bVImaj7 bVII im7 im7 | im7 bVImaj7 bIII bVII | ivm7 % im7 %"),
        "bridge": choices("ivm9 % bVImaj7 % | bVImaj7 % bVII %"),
    },
    minor_share=0.85,
    grooves={
        "4/4": Groove(
            4,
            kicks=words("X.........X..... X.X.......X..... X.........XX.... X.X.......XX.... X.....X...X....."),
            snares=words("....X.......X... ....X..g.g..X..g ....X..x....X... ....X..x.x..X..x ....X.....g.X.g."),
            hats=words("x.x.x.x.x.x.x.x. X.x.X.x.X.x.X.x. x.o.x.o.x.o.x.o."),
            loud_hats=words("X.x.X.x.X.x.X.x. x.x.x.x.x.x.x.x."),
            loud_hat_pitches=(51, 42),
            open_hat=words("................ ......O......... ..............O."),
        ),
    },
    bass={
        "4/4": words("""
            R--------------- R---------R----- R-----R-------a- R-------8---5--- R-R-......R-..a-
            R---------------R-----5---7---a-
        """),
    },
    bass_steps=4,
    keys={
        "4/4": words("""
            H--------------- H---------h----- ....x.......x... ..x..x....x..... H-------h------- ......x.......x.
        """)
    },
    keys_steps=4,
    keys_voicing="rootless",
    strums={"4/4": words("D--------------- d.....d...d..... ..d...d...d...d.")},
    strum_steps=4,
    lead_modes={"riff": 0.3, "pick": 0.2, "melody": 0.3, "comp": 0.2},
    bass_program=38,
    keys_program=89,
    kit=0,
    other_bass_programs=(39, 33),
    other_keys_programs=(4, 5, 88),
    other_kits=(24, 25),
    kick_lock=0.3,
    timing_ms={"drums": (0.0, 2.0), "bass": (1.0, 3.0), "keys": (1.0, 5.0)},
    levels_db={"drums": 1.0, "bass": 2.0, "keys": -5.0},
    fills=("funk", "rock"),
)
