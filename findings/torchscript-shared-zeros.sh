#!/usr/bin/env bash
# torch 2.13.0: `torch.zeros(2)` in a scripted method is worked out once, when the method is compiled, and every call
# returns the same memory. Whoever writes into it in place changes what all later calls return, and what earlier ones
# returned. In eager mode, and where the size comes from an argument, each call has memory of its own. So a method
# that makes a fresh state for a stream gives all streams one state. `torch.jit.script` alone does it; no freezing.
# Seen 2026-11-30: after the first of two states was written to, the second and a third hold [1, 1]; with a size from an
# argument [0, 0].
# GigMate's scripted layers size every state by an argument (model/runtime.py, init_listen), and a test holds that.
# TORCH_INDEX may name a package index with builds for CPUs; the plain build is some gigabytes on Linux.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" \
  ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "torch==2.13.0${TORCH_INDEX:++cpu}" numpy==2.4.6
cat >"$folder/state.py" <<'PYTHON'
import sys
import warnings

import torch

warnings.simplefilter("ignore", DeprecationWarning)


class Streams(torch.nn.Module):
    @torch.jit.export
    def fresh(self) -> torch.Tensor:
        return torch.zeros(2)

    @torch.jit.export
    def sized(self, size: int) -> torch.Tensor:
        return torch.zeros(size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def second_and_third(make) -> tuple[list[float], list[float]]:
    first, second = make(), make()
    first.add_(1.0)
    return second.tolist(), make().tolist()


eager, scripted = Streams(), torch.jit.script(Streams())
found = {
    "eager": second_and_third(eager.fresh),
    "scripted": second_and_third(scripted.fresh),
    "scripted, sized by an argument": second_and_third(lambda: scripted.sized(2)),
}
for name, states in found.items():
    print(f"{name}: {states}")
own, shared = ([0.0, 0.0], [0.0, 0.0]), ([1.0, 1.0], [1.0, 1.0])
sys.exit(0 if list(found.values()) == [own, shared, own] else 1)
PYTHON
PYTHONPATH=$folder python3 "$folder/state.py"
