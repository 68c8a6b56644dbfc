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

    for line in sys.stdin:
        words, begun = json.loads(line), time.monotonic()
        print(f"=== {json.dumps(words)}", flush=True)
        try:
            code: object = program.main(words, standalone_mode=False)
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            traceback.print_exc()
            code = f"{error!r}"
        print(f"=== ended with {code} after {time.monotonic() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
