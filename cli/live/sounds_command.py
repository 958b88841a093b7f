"""`gigmate sounds`: which banks of instruments there are, what is in them, and how one sounds. Main thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...engine.errors import ConfigError
from ..options.files import ForceOption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...sound.banks import Bank

SoundOption = Annotated[
    str | None,
    typer.Option(
        "--sound",
        metavar="WHAT|PART=WHAT",
        help="neural, instruments, or by part: keys=rhodes,bass=neural. Default: the preset's.",
    ),
]
"""Of the verbs that play."""
_RATE_HZ = 48_000
_NOTES = {"drums": (36, 42, 38, 42), "bass": (40, 43, 45, 47), "keys": (60, 64, 67, 71)}
_NOTE_S, _TAIL_S = 0.4, 1.6
_VELOCITY = 96


def sounds(
    play: Annotated[
        str | None, typer.Option(metavar="PART|WHAT", help="Play four notes: a part, or an instrument (keys=rhodes).")
    ] = None,
    bank: Annotated[
        str | None, typer.Option(metavar="F|NAME", help="A bank by its file or name. Default: the first found.")
    ] = None,
    output_file: Annotated[
        Path | None, typer.Option(metavar="F.wav", help="With --play: write the notes here.")
    ] = None,
    force: ForceOption = False,
) -> int:
    """List the banks of instruments and what is in the one that is used, or play one."""
    if play is not None:
        return _play(play, bank or "", output_file, force)
    if output_file is not None:
        raise ConfigError("--output-file needs --play: say which part or instrument")
    from ...sound.banks import bank_named, found_banks
    from ...sound.fluid_library import InstrumentError, fluid_library

    banks, faults = found_banks()
    for fault in faults:
        print(f"left out: {fault}")
    try:
        print(f"FluidSynth {fluid_library().version} plays them")
    except InstrumentError as error:
        print(error)
    used = bank_named(bank or "")  # without any bank this says what to install
    for one in banks:
        print(f"{'* ' if one.path == used.path else '  '}{_line(one)}")
    if all(one.path != used.path for one in banks):
        print(f"* {_line(used)}")
    print(_contents(used))
    return 0


def _line(bank: Bank) -> str:
    return (
        f"{bank.path}: {bank.name}, {bank.size_bytes / 1e6:.0f} MB, "
        f"{len(bank.programs)} instruments, {len(bank.kits)} kits"
    )


def _contents(bank: Bank) -> str:
    from ...engine.part_sounds import name_of

    lines = ["\ndrums"]
    lines += [f"  {kit + 1:3d}  {name_of('drums', kit):24s} {name}" for kit, name in bank.kits.items()]
    lines += ["bass, keys"]
    lines += [f"  {number + 1:3d}  {name_of('keys', number):24s} {name}" for number, name in bank.programs.items()]
    return "\n".join(lines)


def _play(what: str, bank: str, output_file: Path | None, force: bool) -> int:
    """Four notes, into a file or out of the sound card."""
    import soundfile

    from ..output_files import check_output, claimed

    part, name = _asked(what)
    if output_file is not None:
        check_output(output_file, "--output-file", force)
    sound, told = _notes(part, name, bank)
    print(told)
    if output_file is None:
        _out_loud(sound)
        return 0
    with claimed(output_file, "--output-file"):
        soundfile.write(output_file, sound.T, _RATE_HZ, subtype="PCM_24", format="WAV")
    print(output_file)
    return 0


def _asked(what: str) -> tuple[str, str]:
    """Part and sound of "keys=rhodes", "keys" or "rhodes". Raises ConfigError."""
    from ...engine.part_sounds import INSTRUMENTS, NEURAL, part_sound
    from ...engine.player import PARTS

    part, equals, name = (word.strip() for word in what.partition("="))
    if not equals:
        if part in PARTS:
            return part, INSTRUMENTS
        part, name = ("drums" if "kit" in part else "bass" if "bass" in part else "keys"), part
    if part_sound(part, name).name == NEURAL:
        raise ConfigError("the neural voice plays with you alone: give an instrument")
    return part, name


def _notes(part: str, name: str, bank: str) -> tuple[NDArray[np.float32], str]:
    """[2, n] of four notes, and what plays them. Raises InstrumentError, ConfigError."""
    from ...engine.part_sounds import part_sound
    from ...sound.banks import bank_named
    from ...sound.fluid_instrument import FluidInstrument
    from ...sound.fluid_library import fluid_library
    from ...sound.general_midi import programs_of
    from ...sound.rack import program_in

    wanted, found = part_sound(part, name), bank_named(bank)
    if wanted.of_style:
        wanted = wanted.of_program(part, programs_of("")[part])
    instrument = FluidInstrument(fluid_library(), program_in(found, part, wanted), _RATE_HZ)
    instrument.start_anew(0)
    for number, pitch in enumerate(_NOTES[part]):
        at = round(number * _NOTE_S * _RATE_HZ)
        instrument.note(at, pitch, _VELOCITY)
        instrument.note(at + round(0.9 * _NOTE_S * _RATE_HZ), pitch, 0)
    seconds = _NOTE_S * len(_NOTES[part]) + _TAIL_S
    return instrument.render(round(seconds * _RATE_HZ)), f"{wanted.name} of {found.path.name}"


def _out_loud(sound: NDArray[np.float32]) -> None:
    """Out of the system's own output. Raises EngineError where there is none."""
    from ...engine.errors import EngineError

    try:
        import sounddevice

        sounddevice.play(sound.T, _RATE_HZ, blocking=True)
    except (OSError, ImportError):
        raise EngineError("no sound card can be opened: write a file with --output-file F.wav") from None
    except Exception as error:
        if type(error).__name__ != "PortAudioError":
            raise
        raise EngineError("no sound card can be opened: write a file with --output-file F.wav") from None
