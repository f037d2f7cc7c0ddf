"""Upkeep of the content store: checking it, measuring it, and removing from it."""
