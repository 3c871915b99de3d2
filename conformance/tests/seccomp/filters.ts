import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ContainerProcessState } from '../../../specs/runtime/state.ts';
import { validate } from '../../../specs/schema/validate.ts';
import { claims } from '../../harness/claims.ts';
import type { Ground } from '../../harness/ground.ts';
import { seccompKernel } from '../../harness/host.ts';
import { Topic } from '../../harness/test-case.ts';
import { until } from '../../harness/wait.ts';

const claimsSeccomp = claims('seccomp', (linux) => linux.seccomp?.enabled);
const topic = new Topic('seccomp/filters', { needs: [seccompKernel], requires: claimsSeccomp });
const listener = new Topic('seccomp/listener', { needs: [seccompKernel], requires: claimsSeccomp });

const MKDIR = ['mkdir', 'mkdirat'];
const FILTER = ['linux/seccomp/filter'] as const;
const ERRNO = ['linux/seccomp/errno'] as const;

function profile(rules: readonly object[], more: object = {}): Record<string, unknown> {
  return { 'linux.seccomp': { defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules, ...more } };
}

/** What mkdir comes to under a rule: the shell's status, and what was said. */
async function mkdirUnder(ground: Ground, rule: object, more: object = {}): Promise<string> {
  return ground.sh('mkdir /tmp/made 2>&1; echo $?', profile([{ names: MKDIR, ...rule }], more));
}

topic.test('mode: a profile puts the program under a filter', FILTER, async (ground) => {
  assert.equal((await ground.probe(['status'], profile([{ names: MKDIR, action: 'SCMP_ACT_ERRNO' }]))).status('Seccomp'), '2');
});

topic.test('none: without a profile there is no filter of the container’s', FILTER, async (ground) => {
  const own = /^Seccomp:\s*(\d)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  assert.equal((await ground.probe(['status'])).status('Seccomp'), own);
});

for (const [name, action, expected] of [
  ['allow', 'SCMP_ACT_ALLOW', /^0$/],
  ['log', 'SCMP_ACT_LOG', /^0$/],
  ['errno', 'SCMP_ACT_ERRNO', /not permitted\n1$/],
  ['trap', 'SCMP_ACT_TRAP', /(^|\n)159$/],
  ['kill', 'SCMP_ACT_KILL', /(^|\n)159$/],
  ['kill-process', 'SCMP_ACT_KILL_PROCESS', /(^|\n)159$/],
  ['kill-thread', 'SCMP_ACT_KILL_THREAD', /(^|\n)159$/],
] as const) {
  topic.test(`action-${name}: ${action}`, FILTER, async (ground) => {
    // An allowed call of a profile that denies all is one that has a rule; one that allows all needs none.
    assert.match(await mkdirUnder(ground, { action }), expected);
  });
}

topic.test('action-trace: without a tracer, SCMP_ACT_TRACE is as if there were no such system call', FILTER, async (ground) => {
  assert.match(await mkdirUnder(ground, { action: 'SCMP_ACT_TRACE' }), /not implemented\n1$/);
});

topic.test('default-errno: what is not in a list of allowed calls is refused', FILTER, async (ground) => {
  const all = { 'linux.seccomp': { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ALLOWED, action: 'SCMP_ACT_ALLOW' }] } };
  assert.match(await ground.sh('mkdir /tmp/made 2>&1; echo $?', all), /not permitted\n1$/);
});

topic.test('default-errno-number: defaultErrnoRet is the error of what is not in the list', ERRNO, async (ground) => {
  const all = {
    'linux.seccomp': { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 28, syscalls: [{ names: ALLOWED, action: 'SCMP_ACT_ALLOW' }] },
  };
  assert.match(await ground.sh('mkdir /tmp/made 2>&1; echo $?', all), /No space left on device\n1$/);
});

for (const [errno, text] of [
  [28, 'No space left on device'],
  [2, 'No such file or directory'],
  [38, 'Function not implemented'],
] as const) {
  topic.test(`errno-${errno}: errnoRet ${errno} is what the program meets`, ERRNO, async (ground) => {
    assert.match(await mkdirUnder(ground, { action: 'SCMP_ACT_ERRNO', errnoRet: errno }), new RegExp(`${text}\n1$`));
  });
}

topic.test('errno-default: without errnoRet the error is EPERM', ERRNO, async (ground) => {
  assert.match(await mkdirUnder(ground, { action: 'SCMP_ACT_ERRNO' }), /Operation not permitted/);
});

for (const action of ['SCMP_ACT_ALLOW', 'SCMP_ACT_KILL', 'SCMP_ACT_LOG']) {
  topic.test(
    `errno-of-${action.slice(9).toLowerCase()}: an error number for ${action} is an error`,
    ['linux/seccomp/errno-without-meaning', 'config/valid-values'],
    (ground) =>
      ground.refuseProcess(
        profile([{ names: MKDIR, action, errnoRet: 5 }], action === 'SCMP_ACT_ALLOW' ? { defaultAction: 'SCMP_ACT_LOG' } : {}),
      ),
  );
}

/** Signals that a shell ignores, whatever its nice value: the second argument of kill(2). Prints which of them are refused. */
const KILL = 'for n in 17 18 23 28; do kill -$n $$ 2>/dev/null || echo $n; done; true';
const REFUSED_KILL = (args: readonly object[]) => profile([{ names: ['kill'], action: 'SCMP_ACT_ERRNO', args }]);

for (const [operator, value, valueTwo, refused] of [
  ['SCMP_CMP_EQ', 18, undefined, '18'],
  ['SCMP_CMP_NE', 18, undefined, '17 23 28'],
  ['SCMP_CMP_LT', 18, undefined, '17'],
  ['SCMP_CMP_LE', 18, undefined, '17 18'],
  ['SCMP_CMP_GE', 18, undefined, '18 23 28'],
  ['SCMP_CMP_GT', 18, undefined, '23 28'],
  ['SCMP_CMP_MASKED_EQ', 1, 1, '17 23'],
] as const) {
  topic.test(`operator-${operator.slice(9).toLowerCase().replace('_', '-')}: ${operator}`, ['linux/seccomp/arguments'], async (ground) => {
    const args = [{ index: 1, value, op: operator, ...(valueTwo === undefined ? {} : { valueTwo }) }];
    assert.equal((await ground.sh(KILL, REFUSED_KILL(args))).replaceAll('\n', ' '), refused);
  });
}

topic.test('arguments-and: several arguments of a rule must all match', ['linux/seccomp/arguments'], async (ground) => {
  const both = (pid: number) => [
    { index: 0, value: pid, op: 'SCMP_CMP_EQ' },
    { index: 1, value: 18, op: 'SCMP_CMP_EQ' },
  ];
  // The shell is process 1 of its pid namespace.
  assert.equal(await ground.sh(KILL, REFUSED_KILL(both(1))), '18');
  assert.equal(await ground.sh(KILL, REFUSED_KILL(both(2))), '');
});

topic.test('several-rules: several rules with their own errors', [...FILTER, ...ERRNO], async (ground) => {
  const rules = [
    { names: MKDIR, action: 'SCMP_ACT_ERRNO', errnoRet: 28 },
    { names: ['symlink', 'symlinkat'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 },
  ];
  assert.equal(
    await ground.sh('mkdir /tmp/a 2>&1 | grep -c space; ln -s a /tmp/b 2>&1 | grep -c "nput/output error"', profile(rules)),
    '1\n1',
  );
});

topic.test('unknown-call: a system call that nobody knows is no error', FILTER, async (ground) => {
  assert.match(
    await ground.sh('mkdir /tmp/made 2>&1; echo $?', profile([{ names: [...MKDIR, 'no_such_system_call'], action: 'SCMP_ACT_ERRNO' }])),
    /not permitted/,
  );
});

topic.test('no-new-privileges: a filter with noNewPrivileges', FILTER, async (ground) => {
  const out = await ground.sh('mkdir /tmp/made 2>&1; echo $?', {
    ...profile([{ names: MKDIR, action: 'SCMP_ACT_ERRNO' }]),
    'process.noNewPrivileges': true,
  });
  assert.match(out, /not permitted/);
});

topic.test('unprivileged: a filter for a user without capabilities', FILTER, async (ground) => {
  const none = { bounding: [], effective: [], permitted: [] };
  const patch = {
    ...profile([{ names: ['kill'], action: 'SCMP_ACT_ERRNO' }]),
    'process.user': { uid: 1000, gid: 1000 },
    'process.capabilities': none,
  };
  assert.equal(await ground.sh('kill -18 $$ 2>/dev/null || echo refused', patch), 'refused');
});

topic.test('exec-allowed-only: a profile that allows what a program needs is enough for the runtime', FILTER, async (ground) => {
  const patch = { 'linux.seccomp': { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ALLOWED, action: 'SCMP_ACT_ALLOW' }] } };
  assert.equal(await ground.sh('echo ran', patch), 'ran');
});

for (const flag of ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW']) {
  topic.test(`flag-${flag.slice(20).toLowerCase().replace('_', '-')}: ${flag}`, ['linux/seccomp/flags'], async (ground) => {
    assert.match(await mkdirUnder(ground, { action: 'SCMP_ACT_ERRNO' }, { flags: [flag] }), /not permitted/);
  });
}

for (const [name, seccomp] of [
  ['unknown-action', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: MKDIR, action: 'SCMP_ACT_NO_SUCH' }] }],
  ['unknown-default', { defaultAction: 'SCMP_ACT_NO_SUCH' }],
  [
    'unknown-arch',
    { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_NO_SUCH'], syscalls: [{ names: MKDIR, action: 'SCMP_ACT_ERRNO' }] },
  ],
  [
    'unknown-operator',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: MKDIR, action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_NO' }] }],
    },
  ],
  [
    'unknown-flag',
    { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_NO_SUCH'], syscalls: [{ names: MKDIR, action: 'SCMP_ACT_ERRNO' }] },
  ],
  [
    'index-too-great',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: MKDIR, action: 'SCMP_ACT_ERRNO', args: [{ index: 9, value: 1, op: 'SCMP_CMP_EQ' }] }],
    },
  ],
] as const) {
  topic.test(`${name}: it is an error`, ['linux/seccomp/filter', 'config/valid-values'], (ground) =>
    ground.refuseProcess({ 'linux.seccomp': seccomp }),
  );
}

topic.test('no-names: a rule without names is an error', ['linux/seccomp/names', 'config/valid-values'], (ground) =>
  ground.refuseProcess(profile([{ names: [], action: 'SCMP_ACT_ERRNO' }])),
);

/** What a static busybox and a runtime's last steps call. */
const ALLOWED =
  'access arch_prctl brk capget capset chdir clock_gettime clock_nanosleep clone clone3 close close_range dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait execve execveat exit exit_group faccessat faccessat2 fchdir fcntl fstat fstatfs futex getcwd getdents64 getegid geteuid getgid getgroups getpgrp getpid getppid getrandom gettid getuid ioctl kill lseek madvise mmap mprotect munmap nanosleep newfstatat open openat openat2 pipe pipe2 poll ppoll prctl pread64 prlimit64 read readlink readlinkat recvfrom recvmsg restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend sched_getaffinity sched_yield sendmsg sendto set_robust_list set_tid_address setgid setgroups setresgid setresuid setsid setuid sigaltstack socket socketpair stat statfs statx tgkill timer_create timer_delete timer_settime umask uname unlink vfork wait4 waitid write writev'.split(
    ' ',
  );

interface Agent {
  /** What came over each connection, until its end. */
  readonly messages: string[];
  readonly path: string;
}

/** A listener that reads what it is sent. Descriptors that come along are closed by the kernel: the calls of the container then fail. */
async function agent(ground: Ground): Promise<Agent> {
  const path = join(ground.directory, 'agent');
  const messages: string[] = [];
  const server = createServer((connection) => {
    const chunks: Buffer[] = [];
    connection.on('data', (chunk) => chunks.push(chunk));
    connection.on('end', () => messages.push(Buffer.concat(chunks).toString()));
    connection.on('error', () => undefined);
  });
  await new Promise<unknown>((resolve) => server.listen(path, () => resolve(undefined)));
  ground.atEnd(() => server.close());
  return { messages, path };
}

const notify = (path: string, more: object = {}) => profile([{ names: MKDIR, action: 'SCMP_ACT_NOTIFY' }], { listenerPath: path, ...more });

async function received(ground: Ground, more: object = {}, annotations = {}): Promise<readonly [string[], number]> {
  const { messages, path } = await agent(ground);
  const container = await ground.create({ ...notify(path, more), annotations });
  const pid = await container.pid();
  await container.start();
  await until(() => messages.length > 0, 'a state has come, and the connection was closed');
  return [messages, pid];
}

listener.test('state: the state is sent as JSON', ['linux/seccomp/state-json', 'linux/seccomp/listener-socket'], async (ground) => {
  const [messages, pid] = await received(ground, {}, { 'com.example.a': 'b' });
  const checked = validate(ContainerProcessState, JSON.parse(messages[0] ?? ''));
  assert.equal(checked.valid, true, checked.valid ? '' : JSON.stringify(checked.errors));
  if (!checked.valid) return;
  assert.deepEqual(checked.value.fds, ['seccompFd']);
  assert.equal(checked.value.pid, pid);
  assert.equal(checked.value.state.annotations?.['com.example.a'], 'b');
});

listener.test(
  'once: one state is sent, and the connection is closed',
  ['linux/seccomp/listener-once', 'linux/seccomp/listener-closed'],
  async (ground) => {
    const [messages] = await received(ground);
    assert.equal(messages.length, 1);
    JSON.parse(messages[0] ?? '');
  },
);

listener.test('metadata: the metadata are sent as they are', ['linux/seccomp/state-json'], async (ground) => {
  const [messages] = await received(ground, { listenerMetadata: 'any text: ü "x"' });
  assert.equal(JSON.parse(messages[0] ?? '').metadata, 'any text: ü "x"');
});

listener.test('not-there: a listener that cannot be reached is an error', ['linux/seccomp/listener-failure'], (ground) =>
  ground.refuseProcess(notify(join(ground.directory, 'nowhere'))),
);

listener.test('unused: without SCMP_ACT_NOTIFY the listener is ignored', ['linux/seccomp/filter'], async (ground) => {
  const patch = profile([{ names: MKDIR, action: 'SCMP_ACT_ERRNO' }], { listenerPath: join(ground.directory, 'nowhere') });
  assert.equal(await ground.sh('echo ran', patch), 'ran');
});

listener.test('metadata-alone: metadata without a listener are an error', ['linux/seccomp/metadata', 'config/valid-values'], (ground) =>
  ground.refuseProcess(profile([{ names: MKDIR, action: 'SCMP_ACT_ERRNO' }], { listenerMetadata: 'x' })),
);

export const seccompTests = [topic, listener].flatMap((one) => one.tests);
