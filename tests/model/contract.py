"""The one check of the streaming contract; every streaming module's test calls it."""

from __future__ import annotations

import torch
from gigmate.model.streaming import Streaming, clone_state, reset_state
from torch import Tensor


def verify_contract(
    layer: Streaming, x: Tensor, time_in: int, time_out: int, block: int, tolerance: float = 1e-5
) -> Tensor:
    """Step equals whole for even and uneven blocks; neither another future nor NaN in it changes the past; no gradient
    flows to the future, and it reaches what the output depends on; state can be kept and reset.

    `time_in`, `time_out` name the axes of time; `block` is the smallest step the layer takes. Returns `whole`'s output.
    """
    layer.eval()
    steps = x.shape[time_in] // block
    assert steps >= 6, "give the contract at least 6 blocks"
    with torch.no_grad():
        whole = layer.whole(x)
        for split in ([1] * steps, [2, 1, 3] + [1] * (steps - 6), [steps], *uneven_splits(steps)):
            state = layer.init_state(x.shape[0])
            shapes = {name: value.shape for name, value in state.items()}
            pieces = [layer.step(piece, state) for piece in x.split([n * block for n in split], dim=time_in)]
            torch.testing.assert_close(torch.cat(pieces, dim=time_out), whole, atol=tolerance, rtol=0)
            assert {name: value.shape for name, value in state.items()} == shapes, "state grows"
        half = steps // 2
        per_block = whole.shape[time_out] // steps
        for cut in sorted({1, half, steps - 1}):
            past = whole.narrow(time_out, 0, cut * per_block)
            assert torch.isfinite(past).all()
            for future in ("other", "nan", "infinite"):
                changed = x.clone()
                later = changed.narrow(time_in, cut * block, (steps - cut) * block)
                if future == "other":
                    later.copy_(torch.randn_like(later))
                else:
                    later.fill_(float(future.removesuffix("inite")))
                seen = layer.whole(changed).narrow(time_out, 0, cut * per_block)
                assert torch.equal(seen, past), f"the past sees the future ({future}, from block {cut} on)"
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
    verify_gradients(layer, x, time_in, time_out, block)
    return whole


def uneven_splits(steps: int, many: int = 4) -> list[list[int]]:
    """Ways to cut so many blocks into pieces of random size, the same each time; the first one gets ever larger."""
    generator = torch.Generator().manual_seed(0)
    splits = [[]] + [[] for _ in range(many)]
    for number, split in enumerate(splits):
        left = steps
        while left:
            size = (
                len(split) + 1
                if number == 0
                else int(torch.randint(1, 1 + max(1, steps // 2), (), generator=generator))
            )
            split.append(min(left, size))
            left -= split[-1]
    return splits


def verify_gradients(layer: Streaming, x: Tensor, time_in: int, time_out: int, block: int) -> None:
    """No gradient of an output block reaches a later input block; it reaches the block that the output belongs to, and
    exactly those earlier ones that change it."""
    steps = x.shape[time_in] // block

    def blocks(tensor: Tensor, axis: int) -> list[Tensor]:
        return list(tensor.tensor_split(steps, dim=axis))

    heard = x.detach().clone().requires_grad_()
    outputs = blocks(layer.whole(heard), time_out)
    torch.manual_seed(1)
    for at in sorted({steps // 2, steps - 1}):
        weights = torch.randn_like(outputs[at])
        (found,) = torch.autograd.grad((outputs[at] * weights).sum(), heard, retain_graph=True)
        assert torch.isfinite(found).all()
        reached = [bool(gradient.any()) for gradient in blocks(found, time_in)]
        assert not any(reached[at + 1 :]), f"a gradient of block {at} flows to the future"
        per_block = outputs[at].shape[time_out]
        own = range(
            (at * per_block - layer.delay) // per_block, ((at + 1) * per_block - 1 - layer.delay) // per_block + 1
        )
        assert all(reached[k] for k in own if k >= 0), f"no gradient of block {at} reaches the input it belongs to"
        with torch.no_grad():
            for earlier in range(at + 1):
                moved = x.detach().clone()
                blocks(moved, time_in)[earlier].add_(1.0)
                depends = not torch.equal(blocks(layer.whole(moved), time_out)[at], outputs[at])
                assert depends == reached[earlier], f"block {at}: {depends=} on block {earlier}, {reached[earlier]=}"
