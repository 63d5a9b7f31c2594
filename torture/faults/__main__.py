"""`python -m torture.faults SPEC ROOT RECORD [--trace FILE] -m MODULE …`: a program, and what goes wrong in it.

SPEC is what `torture.faults.injector` reads, "" for nothing. Faults of another attempt than the last argument are left
out, so that one command serves all children of a run. Whoever the program starts is not concerned.
"""

import runpy
import sys
from pathlib import Path

from torture.faults.injector import Injector, parse_faults
from torture.faults.patches import Patches


def main() -> None:
    spec, root, record, *rest = sys.argv[1:]
    trace = None
    if rest[0] == "--trace":
        trace, rest = Path(rest[1]), rest[2:]
    assert rest[0] == "-m", "the program is named as -m MODULE"
    module, arguments = rest[1], rest[2:]
    attempt = arguments[-1] if arguments else ""
    faults = [each for each in parse_faults(spec) if each.attempt is None or str(each.attempt) == attempt]
    sys.argv = [module, *arguments]
    # pysqlite3, where it is installed, as in `bertmt.registry.database`, which must not be imported before the clock.
    try:
        from pysqlite3 import dbapi2 as sqlite3  # noqa: PLC0415
    except ImportError:
        import sqlite3  # noqa: PLC0415
    injector = Injector(faults, Path(record), trace, sqlite3.OperationalError)
    patches = Patches(injector, Path(root))
    patches.install_sql(sqlite3)
    patches.install()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
