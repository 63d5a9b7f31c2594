"""The paper's three tasks (section 5.1), each in a file of its name, in the order of the paper."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

import msgspec

from bertmt.tasks.task import Task

_NAMES = ("sst", "para", "sts")


def _task(name: str) -> Task:
    document = tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return msgspec.convert(document | {"name": name}, Task)


BUILTIN: Mapping[str, Task] = MappingProxyType({name: _task(name) for name in _NAMES})
