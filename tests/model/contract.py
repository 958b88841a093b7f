"""The one check of the streaming contract; every streaming module's test calls it."""

from __future__ import annotations

import torch
from gigmate.model.streaming import Streaming, clone_state, reset_state
from torch import Tensor


def verify_contract(
    layer: Streaming, x: Tensor, time_in: int, time_out: int, block: int, tolerance: float = 1e-5
) -> Tensor:
    """Step equals whole for several splits; the past is bit-equal when the future changes; state can be kept and reset.

    `time_in`, `time_out` name the axes of time; `block` is the smallest step the layer takes. Returns `whole`'s output.
    """
    layer.eval()
    steps = x.shape[time_in] // block
    assert steps >= 6, "give the contract at least 6 blocks"
    with torch.no_grad():
        whole = layer.whole(x)
        for split in ([1] * steps, [2, 1, 3] + [1] * (steps - 6), [steps]):
            state = layer.init_state(x.shape[0])
            shapes = {name: value.shape for name, value in state.items()}
            pieces = [layer.step(piece, state) for piece in x.split([n * block for n in split], dim=time_in)]
            torch.testing.assert_close(torch.cat(pieces, dim=time_out), whole, atol=tolerance, rtol=0)
            assert {name: value.shape for name, value in state.items()} == shapes, "state grows"
        half = steps // 2
        changed = x.clone()
        later = changed.narrow(time_in, half * block, (steps - half) * block)
        later.copy_(torch.randn_like(later))
        per_block = whole.shape[time_out] // steps
        past = layer.whole(changed).narrow(time_out, 0, half * per_block)
        assert torch.equal(past, whole.narrow(time_out, 0, half * per_block)), "the past sees the future"
        state = layer.init_state(x.shape[0])
        first, rest = x.split([half * block, (steps - half) * block], dim=time_in)
        layer.step(first, state)
        kept = clone_state(state)
        again = layer.step(rest, state)
        assert torch.equal(layer.step(rest, kept), again), "a kept state does not go on as the stream did"
        reset_state(state)
        torch.testing.assert_close(
            layer.step(first, state), whole.narrow(time_out, 0, half * per_block), atol=tolerance, rtol=0
        )
    return whole
