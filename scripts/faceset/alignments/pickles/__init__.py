"""Pickles of strangers, read without running anything that they name, and plain ones written."""
