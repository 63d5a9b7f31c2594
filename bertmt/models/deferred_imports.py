"""What torch and transformers import for other people: put off until somebody asks for it.

The compiler of torch (`torch._dynamo`, with sympy), distributed training, accelerate and scipy are imported by
transformers' modeling code, and the compiler by each optimizer too: 1.7 of the 4 seconds of CPU that these imports
take (docs/lab_notes.md). Training compiles and distributes nothing. So transformers is told, while it is imported,
that these are not installed, for which it is prepared; and the compiler is a stand-in that gives way to the real one
as soon as more is asked of it than to leave a function as it is: `torch.compile` in a loss of a user's own works.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"
# Of it transformers names one class, for masks that only decoders ask for.
INDEXING = f"{COMPILER}._trace_wrapped_higher_order_op"
# What transformers asks before it imports what it can do without.
SPARED = (
    "is_accelerate_available", "is_scipy_available", "is_torch_distributed_available", "is_torch_flex_attn_available",
)  # fmt: skip
MODELING = ("transformers.modeling_utils", "transformers.masking_utils")


def defer_imports() -> None:
    """Import transformers' modeling code without what training does not use; nothing where that has been imported.

    Whoever calls this has prepared the environment of torch.
    """
    if COMPILER in sys.modules or MODELING[0] in sys.modules:
        return
    import torch  # noqa: PLC0415 - see above

    compiler = _Compiler(COMPILER)
    compiler.__spec__ = importlib.util.find_spec(COMPILER)
    indexing = ModuleType(INDEXING)
    vars(indexing)["TransformGetItemToIndex"] = _TransformGetItemToIndex
    sys.modules |= {COMPILER: compiler, INDEXING: indexing}
    vars(torch)["_dynamo"] = compiler
    try:
        with _without(SPARED):
            for name in MODELING:
                importlib.import_module(name)
    finally:
        if sys.modules.get(INDEXING) is indexing:
            del sys.modules[INDEXING]


class _Compiler(ModuleType):
    """`torch._dynamo` for those who compile nothing; asked for anything else, its submodules included, it gives way."""

    def disable(self, function: Any = None, *_: Any, **__: Any) -> Any:
        """A function that shall not be compiled, or a decorator for one."""
        return _same if function is None else function

    def assume_constant_result(self, function: Any) -> Any:
        """A function whose result a graph takes for a constant."""
        return function

    def allow_in_graph(self, function: Any) -> Any:
        """A function that a graph only calls."""
        return function

    def graph_break(self, *_: Any, **__: Any) -> None:
        """Where a graph ends."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":  # asked of every module, by whoever lists or imports them
            raise AttributeError(f"module {COMPILER!r} has no attribute {name!r}")
        if sys.modules.get(COMPILER) is self:
            del sys.modules[COMPILER]
        return getattr(importlib.import_module(COMPILER), name)


class _TransformGetItemToIndex:
    """The context of that name, imported when it is entered."""

    def __enter__(self) -> Any:
        self._real = importlib.import_module(INDEXING).TransformGetItemToIndex()
        return self._real.__enter__()

    def __exit__(self, *reason: Any) -> Any:
        return self._real.__exit__(*reason)


def _same(function: Any) -> Any:
    return function


def _never(*_: Any, **__: Any) -> bool:
    return False


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Let transformers find that what these functions ask for is not installed; unknown ones are passed over."""
    places = [importlib.import_module(f"transformers.utils{ending}") for ending in ("", ".import_utils")]
    before = [(place, name, vars(place)[name]) for place in places for name in names if name in vars(place)]
    for place, name, _ in before:
        setattr(place, name, _never)
    try:
        yield
    finally:
        for place, name, asked in before:
            setattr(place, name, asked)
