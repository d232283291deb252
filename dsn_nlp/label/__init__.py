"""Passages in, calibrated labels out. ONNX Runtime, tokenizers and numpy; no torch here."""
