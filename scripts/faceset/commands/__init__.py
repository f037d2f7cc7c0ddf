"""The commands: one module a subcommand of `faceset`, named as it is typed."""
