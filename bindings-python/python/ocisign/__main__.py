"""`python -m ocisign`: the command line."""

import sys

from ocisign._ocisign import command


def main() -> int:
    """Do what the arguments of this process say. Returns the exit code."""
    # What waits for a server ends at once when it is interrupted, as any other command does.
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return command(["ocisign", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
