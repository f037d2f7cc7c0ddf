"""The commands: one module a subcommand of `faceset`, named as it is typed.

A module holds what `faceset.__main__.Command` tells, and a line there names it. So that help comes at once, it imports
NumPy and all that needs it inside its functions.
"""
