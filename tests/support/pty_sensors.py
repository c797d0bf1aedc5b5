"""Sensors on pseudo-terminals, which can be unplugged and plugged in again under the same name."""

import os
import threading
import time

LINE = "{id},{us},1,0,0,0,0,0,1\r\n"
COLUMNS = "id,t[us],qw,qx,qy,qz,ax[g],ay[g],az[g]"


class PtySensor:
    """A serial port whose other end is ours: `port` stays the same through unplugging.

    Args:
        folder: where the port's name is made.
    """

    def __init__(self, folder):
        self.port = str(folder / "ttyUSB0")
        self._master = None
        self.plug_in()

    def plug_in(self):
        import tty  # noqa: PLC0415 - there is none on Windows

        self._master, slave = os.openpty()
        tty.setraw(slave)
        if os.path.islink(self.port):  # noqa: PTH114
            os.unlink(self.port)  # noqa: PTH108
        os.symlink(os.ttyname(slave), self.port)  # noqa: PTH211
        self._slave = slave

    def unplug(self):
        """What hangs up a port: its other end is gone, and so is its name."""
        os.unlink(self.port)  # noqa: PTH108
        os.close(self._master)
        os.close(self._slave)
        self._master = None

    def write(self, content):
        os.write(self._master, content)

    def read(self):
        return os.read(self._master, 4096)

    def send(self, count, rate=200.0, first=0, id="left"):
        """That many lines at that many a second."""
        start = time.monotonic()
        for n in range(count):
            time.sleep(max(0.0, start + n / rate - time.monotonic()))
            self.write(LINE.format(id=id, us=(first + n) * 5000).encode())

    def sending(self, *arguments, **options):
        """`send` in a thread."""
        thread = threading.Thread(target=self.send, args=arguments, kwargs=options, daemon=True)
        thread.start()
        return thread

    def close(self):
        if self._master is not None:
            self.unplug()


def wait_for(condition, seconds=10.0):
    """Wait until it is so, and return what it gives."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)
    return found
