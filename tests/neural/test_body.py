"""Constants of the body serve a solve and a training in one process."""

import subprocess
import sys

import pytest

LOOK = """
import torch
from pallas.neural import body
with torch.inference_mode():
    body.{name}()
turn = torch.ones(3, requires_grad=True)
(body.{name}().flatten()[:3] * turn).sum().backward()
"""


@pytest.mark.parametrize("name", ["bone_basis", "bone_lengths", "ancestors"])
def test_gradients_pass_a_constant_that_a_solve_has_made_first(name):
    subprocess.run([sys.executable, "-c", LOOK.format(name=name)], check=True)
