// Emulated SlimeVR trackers that play a file of orientations and accelerations to a server.
//
//   node slimevr_emulator.mjs NPM_FOLDER '{"file": …, "host": …, "port": …, …}'
//
// file: lines `time,qw,qx,qy,qz,ax,ay,az,qw,…` with seven numbers for each sensor: what the sensor's chip
//   tells, so the acceleration is linear, m/s^2, in the sensor's own frame as protocol 13 sends it.
// sensorsPerTracker (1), loss (0: share of the motion packets that are thrown away after they were
//   counted), seed (0), loop (false: play once), battery (80, per cent), signal (-45, dBm).
//
// Tells in JSON, a line each, on stdout: {"event": "connected"}, {"event": "playing", "at": Unix time of
// the first line}, {"event": "done", "sent": […], "dropped": […]} (rotations per sensor). Stops when
// stdin ends, so it never outlives who started it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, options] = process.argv.slice(2);
const { file, host, port, sensorsPerTracker = 1, loss = 0, seed = 0, loop = false, battery = 80, signal = -45 } =
  JSON.parse(options);
const load = (name) => import(pathToFileURL(join(folder, 'node_modules', name, 'dist/esm/index.js')));
const { EmulatedTracker } = await load('@slimevr/tracker-emulation');
const { MACAddress, Quaternion, Vector } = await load('@slimevr/common');
const { FirmwareFeatureFlags, SensorStatus, SensorType } = await load('@slimevr/firmware-protocol');

const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(',').map(Number));
const count = (lines[0].length - 1) / 7;
const period = lines.at(-1)[0] + (lines.at(-1)[0] - lines[0][0]) / Math.max(1, lines.length - 1) - lines[0][0];
const sent = new Array(count).fill(0);
const dropped = new Array(count).fill(0);
const tell = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');

let state = (seed + 1) * 2654435761;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

const ROTATION = 17;
const ACCELERATION = 4;
function losing(tracker, firstSensor) {
  const send = tracker.socket.send.bind(tracker.socket);
  tracker.socket.send = (packet, offset, length, toPort, to, done) => {
    const kind = packet.readInt32BE(0);
    const sensor = kind === ROTATION ? firstSensor + packet.readUInt8(12) : -1;
    if (sensor >= 0) sent[sensor]++;
    if ((kind === ROTATION || kind === ACCELERATION) && random() < loss) {
      if (sensor >= 0) dropped[sensor]++;
      done(null);
      return;
    }
    send(packet, offset, length, toPort, to, done);
  };
}

const trackers = [];
const sensors = [];
for (let first = 0; first < count; first += sensorsPerTracker) {
  const mac = new MACAddress([0x02, 0x50, 0x41, 0x4c, 0x00, trackers.length + 1]);
  const flags = new FirmwareFeatureFlags();
  const tracker = new EmulatedTracker(mac, 'emulated', flags, undefined, undefined, host, port);
  tracker.on('error', (error) => process.stderr.write(`${error}\n`));
  losing(tracker, first);
  for (let i = first; i < Math.min(first + sensorsPerTracker, count); i++) {
    sensors.push(await tracker.addSensor(SensorType.BNO085, SensorStatus.OK));
  }
  trackers.push(tracker);
}
await Promise.all(
  trackers.map(async (tracker) => {
    const connected = new Promise((resolve) => tracker.once('connected-to-server', resolve));
    await tracker.init();
    await tracker.sendDiscovery(); // it would wait a second before the first
    await connected;
  })
);
tell('connected');

function tellState() {
  for (const tracker of trackers) tracker.changeBatteryLevel(3.9, battery);
  for (const sensor of sensors) sensor.sendSignalStrength(signal);
}

function play(line) {
  for (let i = 0; i < count; i++) {
    const [w, x, y, z, ax, ay, az] = line.slice(1 + 7 * i, 8 + 7 * i);
    sensors[i].sendRotation(1, new Quaternion(x, y, z, w), 0);
    sensors[i].sendAcceleration(new Vector(ax, ay, az));
  }
}

let stopped = false;
function stop() {
  if (stopped) return;
  stopped = true;
  // What was sent is on its way before the counts are told.
  setTimeout(() => {
    tell('done', { sent, dropped });
    setTimeout(() => process.exit(0), 20);
  }, 50);
}
process.stdin.on('end', stop).on('error', stop).resume();

tellState();
setInterval(tellState, 5000);
const start = performance.now();
tell('playing', { at: (performance.timeOrigin + start) / 1000 });
let next = 0;
function step() {
  if (stopped) return;
  for (;;) {
    const turn = Math.floor(next / lines.length);
    if (turn > 0 && !loop) return stop();
    const line = lines[next % lines.length];
    const wait = start + 1000 * (turn * period + line[0] - lines[0][0]) - performance.now();
    if (wait > 0.5) return void setTimeout(step, wait);
    play(line);
    next++;
  }
}
step();
