// Another program that speaks OSC (npm's node-osc): node osc_peer.mjs NPM_FOLDER
//
// Takes JSON, a line each, on stdin: {"to": port, "bundle": [[address, argument, …], …]} or
// {"to": port, "message": [address, argument, …]} and sends it to 127.0.0.1. Tells in JSON, a line each, on
// stdout: {"event": "listening", "port": …}, then {"event": "message", "values": [address, argument, …]} for
// every message that it hears. Ends when stdin does.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const { Bundle, Client, Message, Server } = createRequire(join(process.argv[2], 'package.json'))('node-osc');
const tell = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');

const server = new Server(0, '127.0.0.1', () => tell('listening', { port: server._sock.address().port }));
server.on('message', (values) => tell('message', { values }));
server.on('bundle', (bundle) => {
  for (const values of bundle.elements) tell('message', { values });
});

const clients = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { to, bundle, message } = JSON.parse(line);
  if (!clients.has(to)) clients.set(to, new Client('127.0.0.1', to));
  const said = bundle
    ? new Bundle(...bundle.map(([address, ...rest]) => new Message(address, ...rest)))
    : new Message(...message);
  clients.get(to).send(said, (error) => error && process.stderr.write(`${error}\n`));
}
process.exit(0);
