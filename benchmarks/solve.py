"""How fast a take is solved, against the time it took to record: median of five runs, one thread.

Run with `make bench`, or `python benchmarks/solve.py` in the project's environment.
"""

import statistics
import sys
import time

from pallas.capture.formats import read_recording
from pallas.neural import LegOptions, SolveOptions, solve
from pallas.pallas_blender.commands.demo import TAKE

RUNS = 5


def main() -> None:
    """Print frames a second, and how many times faster than the recording that is."""
    recording = read_recording(TAKE)
    seconds = recording.times[-1] - recording.times[0]
    for label, options in (
        ("solve", SolveOptions(legs=LegOptions(clean_feet=False))),
        ("solve and clean feet", SolveOptions()),
    ):
        solve(recording, options)  # imports, weights and caches are not what is measured
        runs = []
        for _ in range(RUNS):
            started = time.perf_counter()
            solve(recording, options)
            runs.append(time.perf_counter() - started)
        took = statistics.median(runs)
        sys.stdout.write(
            f"{label:<22} {len(recording) / took:8.0f} frames/s, {seconds / took:6.1f} times real time\n"
        )


if __name__ == "__main__":
    main()
