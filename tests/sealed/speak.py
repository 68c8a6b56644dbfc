"""Runs command lines, one JSON list a line, as the program does, with every log at its loudest."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback


def main() -> None:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    from reconciler.cli.main import main as program

    for line in sys.stdin.read().splitlines():  # all of it, so that no command reads the rest
        words, begun = json.loads(line), time.monotonic()
        sys.stdout.write(f"=== {json.dumps(words)}\n")
        sys.stdout.flush()
        try:
            code: object = program.main(words, standalone_mode=False)
        except SystemExit as end:
            code = end.code
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is shown)
            traceback.print_exc()
            code = f"{error!r}"
        seconds = time.monotonic() - begun
        sys.stdout.write(f"=== ended with {code} after {seconds:.1f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
