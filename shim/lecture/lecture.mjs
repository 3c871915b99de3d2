// The lecture: its commands in order, what is typed into terminals, and what has to come back.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutEscapes } from './compare.mjs';
import { PACKAGES_PORT } from './packages.mjs';
import { REGISTRY } from './stage.mjs';

/**
 * @typedef {object} Step
 * @property {string} command words after `docker`; `{first}` and the like stand for what was remembered
 * @property {string[]} [type] lines typed into the container's terminal, each when the last one has been answered
 * @property {number} [code] exit code, 0 if nothing is said
 * @property {RegExp[]} [says] of standard output and error together
 * @property {string} [remember] a name for the last line of the output
 * @property {boolean} [elsewhere] on another machine: another data root
 * @property {() => Promise<string | undefined>} [check] looks at the world; says what is wrong
 * @property {number} [waitMs] before it is typed
 * @property {boolean} [needsPackages] only where Debian's packages can be reached
 * @property {number} [patienceMs] for the answer to a line, 20 s if nothing is said
 */

/** @typedef {{ command: string, output: string, code: number, text: string, problem?: string | undefined }} Done */

const hasControllers = existsSync('/sys/fs/cgroup/cgroup.controllers');

/** @type {Step[]} */
export const STEPS = [
  { command: `pull ${REGISTRY}/ubuntu`, says: [/Digest: sha256:|^[a-f0-9]{64}$/m] },
  { command: `tag ${REGISTRY}/ubuntu ubuntu` },
  // A container of one's own, changed, and lost.
  { command: 'run -it --name first ubuntu /bin/bash', type: ['echo hello > /greeting', 'cat /greeting', 'exit'], says: [/^hello\r?$/m] },
  { command: 'run ubuntu cat /greeting', code: 1, says: [/No such file or directory/] },
  { command: 'ps', says: [/CONTAINER ID\s+IMAGE\s+COMMAND\s+CREATED\s+STATUS\s+PORTS\s+NAMES/] },
  { command: 'ps -a', says: [/Exited \(0\)/, /Exited \(1\)/, /first/] },
  // What is installed in one container is in that one only.
  {
    command: `run -it --name apt -e http_proxy=http://GATEWAY:${PACKAGES_PORT} ubuntu /bin/bash`,
    type: ['apt update && apt install -y --no-install-recommends curl', 'curl --version', 'exit'],
    says: [/^curl \d+\.\d+/m],
    needsPackages: true,
    patienceMs: 300_000,
  },
  { command: 'run ubuntu curl --version', code: 127, says: [/curl.*not found/i], needsPackages: true },
  // It is still there.
  { command: 'start -ia first', type: ['cat /greeting', 'exit'], says: [/^hello\r?$/m] },
  { command: 'logs first', says: [/cat \/greeting/] },
  { command: 'run -it ubuntu no-such-program', type: [], code: 127, says: [/no-such-program.*(not found|no such file)/i] },
  { command: 'run ubuntu /etc', code: 126, says: [/permission denied|is a directory/i] },
  { command: 'run --no-such-flag ubuntu', code: 125, says: [/unknown flag: --no-such-flag/] },
  // In the background.
  { command: `run -d --name clock ${REGISTRY}/clock`, says: [/^[a-f0-9]{64}$/m] },
  { command: 'logs clock', waitMs: 1500, says: [/20\d\d/] },
  { command: 'logs --tail 1 -t clock', says: [/^\d{4}-\d\d-\d\dT/] },
  { command: 'ps -as', says: [/SIZE/, /virtual/, /Up .*clock/s] },
  { command: 'exec clock ps', says: [/sleep 1|date|sh -c/] },
  { command: 'exec -it clock sh', type: ['echo $((6*7))', 'exit'], says: [/^42\r?$/m] },
  { command: 'inspect -f {{.State.Status}} clock', says: [/^running$/m] },
  { command: 'top clock', says: [/PID/] },
  { command: 'stop -t 1 clock', says: [/^clock$/m] },
  { command: 'ps -a --filter name=clock', says: [/Exited \((137|143)\)/] },
  { command: 'rm clock', says: [/^clock$/m] },
  // An image of the change.
  { command: 'diff first', says: [/^A \/greeting$/m] },
  { command: 'commit -m greets first greeter', says: [/[a-f0-9]{64}$/m] },
  { command: 'run --rm greeter cat /greeting', says: [/^hello$/m] },
  { command: 'images', says: [/REPOSITORY\s+TAG\s+IMAGE ID\s+CREATED\s+SIZE/, /greeter\s+latest/] },
  { command: 'history greeter', says: [/IMAGE\s+CREATED\s+CREATED BY\s+SIZE\s+COMMENT/, /greets/] },
  { command: `tag greeter ${REGISTRY}/me/greeter:1.0` },
  { command: `push ${REGISTRY}/me/greeter:1.0` },
  { command: `run --rm ${REGISTRY}/me/greeter:1.0 cat /greeting`, elsewhere: true, says: [/^hello$/m] },
  // From a Dockerfile.
  { command: 'build -t web web' },
  { command: 'run --rm web cat /built', says: [/^built$/m] },
  { command: 'run -P -d --name any web' },
  { command: 'port any', says: [/80\/tcp -> 0\.0\.0\.0:\d+/, /1194\/udp -> 0\.0\.0\.0:\d+/] },
  { command: 'run -d --name web -p 80:80 -p 1194:1194/udp web', check: traffic },
  { command: 'ps', says: [/0\.0\.0\.0:80->80\/tcp/, /0\.0\.0\.0:1194->1194\/udp/] },
  { command: 'run --rm -p 80:80 web', code: 125, says: [/port is already allocated|address already in use/i] },
  { command: 'rm -f web any', says: [/web/, /any/] },
  // What outlives containers.
  { command: 'volume create kept', says: [/^kept$/m] },
  { command: 'run --rm -v kept:/data ubuntu cp /etc/hostname /data/from' },
  { command: 'run --rm -v kept:/data:ro ubuntu cat /data/from', says: [/^[a-f0-9]{12}$/m] },
  { command: 'run --rm -v kept:/data:ro ubuntu touch /data/no', code: 1, says: [/Read-only file system/] },
  { command: 'volume rm kept', says: [/^kept$/m] },
  // Names on a network.
  { command: 'network create lab' },
  { command: `run -d --name peer --network lab ${REGISTRY}/clock` },
  { command: `run --rm --network lab ${REGISTRY}/busybox ping -c 1 -W 3 peer`, says: [/1 packets received/] },
  { command: 'rm -f peer' },
  { command: 'network rm lab', says: [/lab/] },
  // Shares of the processor.
  ...(hasControllers ? ['1024', '640', '2048'].map((shares) => ({ command: `run --rm -c ${shares} ubuntu true` })) : []),
  { command: 'rm first' },
  { command: 'run --rm --name twice ubuntu true' },
  { command: 'inspect no-such-thing', code: 1, says: [/no such (object|container)/i] },
];

/** @param {import('./stage.mjs').Docker} docker @param {{ print: boolean, hasPackages: boolean }} options @returns {Promise<Done[]>} */
export async function giveLecture(docker, { print, hasPackages }) {
  /** @type {Done[]} */
  const done = [];
  for (const { command, ...rest } of STEPS) {
    const step = { ...rest, command: command.replace('GATEWAY', docker.gateway) };
    if (step.needsPackages === true && !hasPackages) continue;
    if (step.waitMs !== undefined) await sleep(step.waitMs);
    const words = step.command.split(' ');
    const { output, code } = step.type === undefined ? await typed(docker, step, words) : await inTerminal(docker, step, words);
    const problem = problemOf(step, output, code) ?? (await step.check?.());
    const text = `$ docker ${step.command}\n${output.replaceAll('\r', '').trimEnd()}`;
    done.push({ command: step.command, output, code, text, problem });
    if (print) process.stdout.write(`${text}\n${problem === undefined ? '' : `  !! ${problem}\n`}`);
  }
  return done;
}

/** @param {Step} step @param {string} output @param {number} code */
function problemOf({ code: wanted = 0, says = [] }, output, code) {
  if (code !== wanted) return `exit code ${code}, not ${wanted}`;
  const missing = says.find((pattern) => !pattern.test(output.replaceAll('\r\n', '\n')));
  return missing === undefined ? undefined : `it does not say ${missing}`;
}

/** @param {import('./stage.mjs').Docker} docker @param {Step} step @param {string[]} words @returns {Promise<{ output: string, code: number }>} */
function typed(docker, step, words) {
  const [program = '', ...args] = step.elsewhere === true ? docker.elsewhere : docker.argv;
  return ended(spawn(program, [...args, ...words], { cwd: docker.folder, env: { ...process.env, ...docker.env } }));
}

/** At a pseudo-terminal, which script(1) makes. @param {import('./stage.mjs').Docker} docker @param {Step} step @param {string[]} words */
async function inTerminal(docker, step, words) {
  const line = [...docker.argv, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qefc', `exec ${line}`, '/dev/null'], { cwd: docker.folder, env: { ...process.env, ...docker.env } });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const result = ended(child);
  for (const text of step.type ?? []) {
    const before = said.length;
    // A prompt is what shows that the shell is there, and has answered the last line.
    for (let waited = 0; waited < (step.patienceMs ?? 20_000) && !hasPrompt(said.slice(before === 0 ? 0 : -80)); waited += 50)
      await sleep(50);
    child.stdin.write(`${text}\n`);
    await sleep(300);
  }
  return await result;
}

/** @param {string} text */
function hasPrompt(text) {
  return /[#$] $/.test(withoutEscapes(text));
}

/** @param {import('node:child_process').ChildProcessWithoutNullStreams} child @returns {Promise<{ output: string, code: number }>} */
function ended(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ output, code: code ?? 128 }));
  });
}

/** Both protocols, from outside of the container. */
async function traffic() {
  for (let attempt = 0; attempt < 50; attempt++) {
    const page = await fetchPage().catch(() => '');
    if (page.includes('It works!')) return (await askUdp()) === 'pong hello' ? undefined : 'no answer over UDP';
    await sleep(100);
  }
  return 'no answer over TCP';
}

/** @returns {Promise<string>} */
function fetchPage() {
  return new Promise((resolve, reject) => {
    get('http://127.0.0.1:80/', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

/** @returns {Promise<string>} */
function askUdp() {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    const give = (/** @type {string} */ answer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => give(''), 3000);
    socket.on('message', (message) => give(String(message)));
    socket.send('hello', 1194, '127.0.0.1');
  });
}
