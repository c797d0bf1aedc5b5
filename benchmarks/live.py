"""How long a pose takes from the packet that brought its newest reading, while four trackers send.

Four emulated SlimeVR trackers (npm's emulator) play the embedded take at 60 Hz over UDP. Prints, as JSON,
the delay until the pose is solved and until a character of 52 bones has it in Blender's data (milliseconds,
p50 and p95 of wall-clock time), how many frames there were and how many came too late to be shown.

    python benchmarks/live.py [SECONDS [PERFORMERS]]        a minute of one performer unless told
"""

import json
import sys
import time
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from node_peers import slimevr_emulators  # noqa: E402

import pallas  # noqa: E402
from pallas.capture.recording import read_recording_file  # noqa: E402
from pallas.capture.session.applied import Applied  # noqa: E402
from pallas.capture.session.live_calibration import LiveCalibration  # noqa: E402
from pallas.operators.live_capture import LiveCapture  # noqa: E402
from pallas.pallas_blender.commands.demo import TAKE  # noqa: E402
from pallas.rig.skeleton import body_skeleton  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402

TICK = 0.004  # seconds, as Blender's timer


def main() -> None:
    """Stream, show, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    names = [f"performer {number}" for number in range(int((sys.argv + ["1"] * 2)[2]))]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    pallas.register()
    take = read_recording_file(TAKE)
    capture = LiveCapture(["slimevr:127.0.0.1:0"])
    capture.open()
    session = capture.wait(120.0)
    address = capture.recorder.devices[0].address
    everybody = [
        np.tile(a, (1, len(names), 1)) for a in (take.world_from_sensor, take.acceleration)
    ]
    with slimevr_emulators(address, *everybody, take.fps, loop=True) as emulators:
        trackers = iter(emulators.trackers)
        for name in names:
            worn = {placement: next(trackers) for placement in take.placements}
            capture.perform(name, worn, body_skeleton())
            mounted = Applied.mounted(take.bone_from_sensor)
            session.performers[name].calibration = LiveCalibration(mounted)
        capture.aim({name: add_character(name) for name in names})
        emulators.start(120.0)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            capture.tick()
            time.sleep(TICK)
        found = {"seconds": seconds, "performers": len(names), **capture.report()}
        emulators.stop(30.0)
    capture.close()
    print(json.dumps(found, indent=2))  # noqa: T201  its result


if __name__ == "__main__":
    main()
    import os

    sys.stdout.flush()
    os._exit(0)  # Blender's module may wait for itself at Python's end
