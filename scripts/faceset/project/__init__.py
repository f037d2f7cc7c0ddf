"""A working directory's project: its settings, its sources, and what is installed in their place."""
