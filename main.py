"""Lightbox: `python main.py [PATHS]` opens the window, `python main.py --help` tells the rest."""

# A child process imports this file again, so nothing heavy is imported up here.
import multiprocessing
import sys


def main() -> int:
    """Run the command line and return the exit code."""
    from viewer import cli  # noqa: PLC0415

    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    multiprocessing.freeze_support()  # in the built program a child process starts here, and stays
    sys.exit(main())
