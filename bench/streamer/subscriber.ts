import { createConnection } from 'node:net';

/** A process that only listens, as cheaply as can be: it counts bytes and parses nothing. argv: port, channel. */
const [port, channel] = process.argv.slice(2);
const socket = createConnection({ host: '127.0.0.1', port: Number(port) });
socket.write(`SUBSCRIBE ${channel}\r\n`);
let bytes = 0;
socket.on('data', (chunk) => {
  bytes += chunk.length;
});
process.on('message', () => process.send?.(bytes));
process.on('disconnect', () => process.exit(0));
socket.once('data', () => process.send?.('ready'));
