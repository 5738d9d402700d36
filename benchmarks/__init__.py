"""Measurements of nnlearn. Each module runs by itself: ``python -m benchmarks.interrupts``."""
