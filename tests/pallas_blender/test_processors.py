import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("bpy")

# A cube, divided eight times, is work that Blender spreads over its pool of threads.
PROGRAM = """
import json, os, time
from pallas.pallas_blender.processors import load_blender
load_blender(1)
import bpy
bpy.ops.mesh.primitive_cube_add()
cube = bpy.context.object
cube.modifiers.new("divided", "SUBSURF").levels = 8
whole, own = time.process_time(), time.thread_time()
bpy.context.view_layer.update()
share = (time.thread_time() - own) / (time.process_time() - whole)
cores = {tuple(sorted(os.sched_getaffinity(int(thread)))) for thread in os.listdir("/proc/self/task")}
print(json.dumps([share, sorted(cores)]), flush=True)
os._exit(0)
"""


@pytest.mark.blender
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such limit on this system")
def test_blender_that_was_loaded_with_one_thread_works_in_one_and_may_use_every_core():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    share, cores = json.loads(done.stdout.splitlines()[-1])
    assert share > 0.95
    assert cores == [sorted(os.sched_getaffinity(0))]
