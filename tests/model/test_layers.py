"""Streaming layers: the contract, the window of attention, and hour 3 costing what minute 1 did."""

from __future__ import annotations

import pytest
import torch
from gigmate.model.codec.mdct import InverseMdct, Mdct
from gigmate.model.layers import CausalConv, ConvBlock, WindowAttention

from .contract import verify_contract


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("kernel", "dilation", "stride"), [(1, 1, 1), (3, 1, 1), (3, 4, 1), (8, 1, 4), (4, 1, 4)])
def test_convolution_keeps_the_contract(kernel: int, dilation: int, stride: int) -> None:
    layer = CausalConv("c", 3, 5, kernel, dilation, stride)
    verify_contract(layer, torch.randn(2, 3, 8 * stride), 2, 2, stride)


def test_convolution_refuses_to_skip_input() -> None:
    with pytest.raises(ValueError, match="skip"):
        CausalConv("c", 3, 5, kernel=2, stride=4)


def test_block_keeps_the_contract() -> None:
    verify_contract(ConvBlock("b", 8, kernel=5, dilation=2), torch.randn(2, 8, 40), 2, 2, 1)


@pytest.mark.parametrize("window", [4, 64])
def test_attention_keeps_the_contract(window: int) -> None:
    verify_contract(WindowAttention("a", 16, 2, window), torch.randn(2, 30, 16), 1, 1, 1)


def test_attention_forgets_what_left_its_window() -> None:
    layer = WindowAttention("a", 16, 2, window=5).eval()
    x = torch.randn(1, 20, 16)
    other = x.clone()
    other[:, :10] = torch.randn(1, 10, 16)
    with torch.no_grad():
        torch.testing.assert_close(layer.whole(x)[:, 15:], layer.whole(other)[:, 15:])


def test_attention_is_exact_after_hours() -> None:
    """Positions enter by their differences alone: a stream that is 4 hours old answers as a fresh one does."""
    layer = WindowAttention("a", 32, 2, window=8).eval()
    x = torch.randn(1, 24, 32)
    with torch.no_grad():
        state = layer.init_state(1)
        state["a.t"].fill_(360_000 // 8 * 8)
        old = layer.step(x, state)[:, 12:]
        torch.testing.assert_close(old, layer.whole(x)[:, 12:], atol=1e-4, rtol=0)


def test_hidden_past_is_not_attended_to() -> None:
    layer = WindowAttention("a", 16, 2, window=32).eval()
    x = torch.randn(1, 12, 16)
    keep = torch.ones(1, 12)
    keep[:, :6] = 0
    other = x.clone()
    other[:, :6] = torch.randn(1, 6, 16)
    with torch.no_grad():
        torch.testing.assert_close(layer.whole_masked(x, keep)[:, 6:], layer.whole_masked(other, keep)[:, 6:])


@pytest.mark.parametrize("hop", [4, 320])
def test_mdct_reconstructs_perfectly_one_hop_late(hop: int) -> None:
    x = torch.randn(2, hop * 20)
    forward, backward = Mdct(hop, "f"), InverseMdct(hop, "b")
    y = backward.whole(forward.whole(x))
    torch.testing.assert_close(y[:, backward.delay :], x[:, : -backward.delay], atol=1e-5, rtol=0)


def test_mdct_keeps_the_contract() -> None:
    coefficients = verify_contract(Mdct(16, "f"), torch.randn(2, 16 * 9), 1, 2, 16)
    verify_contract(InverseMdct(16, "b"), coefficients, 2, 1, 1)
