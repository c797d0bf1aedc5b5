"""Movella DOT sensors over Bluetooth, where the package bleak is installed."""

import asyncio
import time
from importlib import import_module
from typing import Any

from ...rig.errors import DeviceError, PallasError
from .movella_payloads import PAYLOADS, parse_movella
from .samples import TrackerSample
from .threaded import ThreadedDevice

__all__ = ["MovellaDot"]

_MODE = 26  # time, quaternion, free acceleration, angular velocity
_UUID = "1517200{}-4947-11e9-8646-d663bd873d93"
_CONTROL = _UUID.format(1)
_START, _STOP = bytes((1, 1, _MODE)), bytes((1, 0, _MODE))
_STEP = 0.1  # seconds between looks at whether to stop
_SILENCE = 5.0  # seconds without a reading, after which a sensor is taken for gone
_BATTERY = "15173001-4947-11e9-8646-d663bd873d93"


class MovellaDot(ThreadedDevice):
    """One Movella DOT, by its Bluetooth address; the tracker is "movella AA:BB:CC:DD:EE:FF".

    Its bytes are tested; the radio is not, for want of one.

    Args:
        address: as the system knows the sensor, such as "D4:22:CD:00:00:01".
    """

    def __init__(self, address: str) -> None:
        # A sensor that was asked for by its address is paired by that.
        super().__init__(f"movella {address}", "Movella DOT", pairs_all=True)
        self._address = address
        self._bleak: Any = None
        self._last = 0.0

    def open(self) -> None:
        """Load what speaks Bluetooth.

        Raises:
            DeviceError: the package bleak is not installed.
        """
        try:
            self._bleak = import_module("bleak")
        except ImportError:
            raise DeviceError(
                f"{self.name} needs the package bleak, which is not installed: pip install bleak"
            ) from None

    def close(self) -> None:
        """Nothing stays open: the thread disconnects."""

    def listen(self) -> None:
        """Connect, measure until told to stop, disconnect.

        Raises:
            DeviceError: the sensor can't be reached, or is silent.
        """
        try:
            asyncio.run(self._measure())
        except PallasError:
            raise
        except Exception as error:  # whatever the system's Bluetooth has to say
            raise DeviceError(
                f"{self.name}: {str(error) or type(error).__name__}; expected a sensor that is switched "
                "on, near, and connected to nothing else"
            ) from error

    def notified(self, payload: bytes) -> None:
        """Take one notification of the sensor."""
        now = self._last = time.monotonic()
        tally = self.tally(self.name, self._address)
        if tally is None:
            return
        try:
            reading = parse_movella(payload, _MODE)
        except PallasError as error:
            tally.undecodable(str(error))
            return
        if tally.hear(now):
            values = reading.time, reading.world_from_sensor, reading.acceleration
            self.give(TrackerSample(self.name, now, *values))

    async def _measure(self) -> None:
        characteristic = _UUID.format(PAYLOADS[_MODE].characteristic)
        async with self._bleak.BleakClient(self._address) as client:
            battery = await client.read_gatt_char(_BATTERY)
            tally = self.tally(self.name, self._address)
            if tally is not None and battery:
                tally.battery = battery[0] / 100.0
            await client.start_notify(characteristic, lambda _, data: self.notified(bytes(data)))
            await client.write_gatt_char(_CONTROL, _START, response=True)
            self._last = time.monotonic()
            while not self.stopping.is_set():
                await asyncio.sleep(_STEP)
                if time.monotonic() - self._last > _SILENCE:
                    raise DeviceError(f"{self.name} is silent; is it switched off or out of reach?")
            await client.write_gatt_char(_CONTROL, _STOP, response=True)
