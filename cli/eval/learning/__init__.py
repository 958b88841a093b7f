"""How well songs are learnt: `gigmate eval learn`."""
