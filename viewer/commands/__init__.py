"""What the subcommands do. No Qt, no display."""
