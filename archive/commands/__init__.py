"""The subcommands of `sohr-archive`, one module each; `archive.cli` puts them together."""
