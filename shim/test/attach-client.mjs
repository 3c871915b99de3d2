// node attach-client.mjs URL TEXT: attaches by WebSocket as kubelet's clients do (v4.channel.k8s.io), types TEXT, prints standard output until it ends with TEXT.
import { WebSocket } from 'undici';

const [url = '', text = ''] = process.argv.slice(2);
const STDIN = 0;
const STDOUT = 1;
let said = '';
const socket = new WebSocket(url.replace(/^http/, 'ws'), 'v4.channel.k8s.io');
socket.binaryType = 'arraybuffer';
socket.addEventListener('open', () => socket.send(Buffer.concat([Buffer.from([STDIN]), Buffer.from(text)])));
socket.addEventListener('message', ({ data }) => {
  const bytes = Buffer.from(data);
  if (bytes[0] !== STDOUT) return;
  said += bytes.subarray(1).toString();
  if (!said.endsWith(text)) return;
  process.stdout.write(said);
  process.exit(0);
});
for (const name of ['error', 'close']) {
  socket.addEventListener(name, () => {
    process.stderr.write(`${name} after ${JSON.stringify(said)}\n`);
    process.exit(1);
  });
}
