"""The codec: sound to tokens and back, causal and streaming."""
