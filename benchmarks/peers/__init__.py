"""The libraries that are measured, one file each; base.py says what a peer is."""
