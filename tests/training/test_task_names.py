"""Names of tasks that torch's modules cannot bear."""

import pytest
from torch import nn

from bertmt.tasks.names import TAKEN_BY_TORCH
from bertmt.tasks.task import is_task_name


def test_the_names_that_are_refused_are_those_that_a_module_dict_refuses() -> None:
    taken = {name for name in dir(nn.ModuleDict()) if is_task_name(name)}
    assert taken <= TAKEN_BY_TORCH
    for name in sorted(taken):
        with pytest.raises(KeyError):
            nn.ModuleDict({name: nn.Identity()})
    nn.ModuleDict({"cola": nn.Identity(), "sst5": nn.Identity()})
