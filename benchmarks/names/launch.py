"""Runs a program and prints what it took. Small itself, because the program begins as its copy.

python launch.py FILE PROGRAM [ARGUMENT ...]
"""

import os
import resource
import sys
import time


def main() -> None:
    """Run it; seconds, processor seconds and the most memory go into the file."""
    file, *argv = sys.argv[1:]
    began = time.perf_counter()
    process = os.fork()
    if not process:
        os.execv(argv[0], argv)  # noqa: S606 - the tools that are measured
    _, status = os.waitpid(process, 0)
    took = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(file, "w") as out:  # noqa: PTH123 - pathlib would make this process larger
        out.write(f"{took} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}")
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
