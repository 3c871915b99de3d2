import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itWith } from '../../../../.scripts/jest/requirement.ts';
import * as protocol from './protocol.ts';
import { type Agent, type Architecture, Channel, header, Program, resultOf, target, UNTOUCHED } from './test/driver.ts';

const { BUF, SIZE, HEADER_SIZE, HEADER_REPLY_LENGTH, OP_SIZE, EXIT_GONE, EXIT_REFUSED, indirect } = protocol;
const { IGNORE_ALL, JUMP, JUMP_IF_ERROR, JUMP_IF_OK, JUMP_IF_ZERO, RESTART, RETRY, SET_CHANNEL } = protocol;

const EPERM = 1n;
const ENOENT = 2n;
const EINTR = 4n;
const EBADF = 9n;
const EAGAIN = 11n;
const CLOCK_MONOTONIC = 1;
const TFD_NONBLOCK = 0o4000;
const SIGCHLD = 17;
/** A descriptor that nobody has. */
const NO_FD = 999;
/** An address in BUF that no message of these tests reaches. */
const FAR = BUF + SIZE / 2;

jest.setTimeout(30_000); // some tests move many megabytes, and the machine may be busy

const folder = mkdtempSync(join(tmpdir(), 'agent-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const hugePages = { what: 'transparent huge pages', met: existsSync('/sys/kernel/mm/transparent_hugepage') };

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

for (const arch of ['x86_64', 'aarch64'] satisfies Architecture[]) {
  const here = target(arch, folder);
  if (here === undefined) {
    process.stderr.write(`SKIPPED: the ${arch} agent is not tested, because there is no qemu-${arch}-static here\n`);
    test.skip(`the ${arch} agent: SKIPPED, no qemu-${arch}-static here`, () => undefined);
    continue;
  }
  const nativeOnly: (name: string, body: () => Promise<void>) => void = here.emulated
    ? (name, body) => test.skip(`${name}: SKIPPED, not possible under qemu-user`, body)
    : test;

  describe(`the ${arch} agent${here.emulated ? ', emulated' : ''}`, () => {
    let agent: Agent;
    let program: Program;

    beforeEach(() => {
      agent = here.start();
      program = new Program(arch);
    });
    afterEach(() => agent.close());

    /** Sends the program and expects these results; undefined stands for an op that was not executed. */
    async function expectResults(results: readonly (bigint | undefined)[], done = results.length) {
      const reply = await agent.channel.run(program.message());
      expect(reply.results).toEqual(results.map((result) => result ?? UNTOUCHED));
      expect(reply.done).toBe(done);
    }

    describe('messages', () => {
      test('a program is executed and its results come back', async () => {
        program.call('getpid', []);
        program.call('getppid', []);
        await expectResults([BigInt(agent.pid), BigInt(process.pid)]);
      });

      test('one program follows another', async () => {
        program.call('getpid', []);
        for (let i = 0; i < 100; i++) {
          await expectResults([BigInt(agent.pid)]);
        }
      });

      test("what the last op's arguments leave in the registers does not matter", async () => {
        program.call('getpid', [-1, -1, -1, -1, -1, -1]);
        await expectResults([BigInt(agent.pid)]);
        await expectResults([BigInt(agent.pid)]);
      });

      test('a program without ops is answered', async () => {
        await expectResults([]);
      });

      test('a message may come byte by byte', async () => {
        program.call('getpid', []);
        program.call('write', [4, program.text('hello'), 5]);
        const message = program.message();
        const front = HEADER_SIZE + 2 * OP_SIZE;
        for (const byte of message.subarray(0, front)) {
          agent.channel.send(Buffer.of(byte));
          await sleep(1);
        }
        for (let at = front; at < message.length; at += 10_000) {
          agent.channel.send(message.subarray(at, at + 10_000));
          await sleep(1);
        }
        expect((await agent.channel.reply(message)).results).toEqual([BigInt(agent.pid), 5n]);
        expect((await agent.other.receive(5)).toString()).toBe('hello');
      });

      test('a message of 3 MB comes back whole', async () => {
        const bytes = Buffer.alloc(3_000_000, 'three million bytes, ');
        program.data(bytes);
        program.call('getpid', []);
        const length = program.message().length;
        const reply = await agent.channel.run(program.message(length));
        expect(reply.results).toEqual([BigInt(agent.pid)]);
        expect(reply.bytes.subarray(-bytes.length).equals(bytes)).toBe(true);
      });

      test('a message may be as long as the buffer', async () => {
        const reply = await agent.channel.run(Buffer.concat([header(SIZE, 0, HEADER_SIZE)], SIZE));
        expect(reply.done).toBe(0);
      });

      test('a stop signal disturbs neither reading nor sending', async () => {
        // with a time limit on the socket the kernel does not restart interrupted calls by itself, but says EINTR
        const hour = program.data(Buffer.from(BigUint64Array.of(3600n, 0n).buffer));
        program.call('setsockopt', [3, 1 /* SOL_SOCKET */, 20 /* SO_RCVTIMEO */, hour, 16]);
        program.call('setsockopt', [3, 1 /* SOL_SOCKET */, 21 /* SO_SNDTIMEO */, hour, 16]);
        await expectResults([0n, 0n]);
        await stopAndGo(2); // it is reading

        const bytes = Buffer.alloc(3_000_000, 'three million bytes, ');
        program = new Program(arch);
        program.data(bytes);
        const message = program.message(program.message().length);
        agent.channel.send(message);
        await sleep(100);
        await stopAndGo(3); // the socket's buffer is full by now: first a send is cut short, then one sends nothing
        const reply = await agent.channel.reply(message);
        expect(reply.bytes.subarray(-bytes.length).equals(bytes)).toBe(true);

        async function stopAndGo(times: number) {
          for (let i = 0; i < times; i++) {
            agent.kill('SIGSTOP');
            await sleep(10);
            agent.kill('SIGCONT');
            await sleep(10);
          }
        }
      });

      test('the reply may be the header only', async () => {
        program.call('getpid', []);
        program.call('close', [NO_FD]);
        program.call('getpid', []);
        agent.channel.send(program.message(HEADER_SIZE));
        expect((await agent.channel.receive(HEADER_SIZE)).readUInt32LE(protocol.HEADER_DONE)).toBe(2);
      });

      test('the reply may be longer than the message', async () => {
        program.store(BUF + 200, 7);
        const message = program.message(208);
        expect(message.length).toBeLessThan(200);
        expect((await agent.channel.run(message)).bytes.readBigUInt64LE(200)).toBe(7n);
      });

      test('without a reply the next message is read, even if it came together with the first', async () => {
        program.store(FAR, 42);
        const silent = program.message(0);
        const asking = new Program(arch);
        asking.nothing(FAR, { flags: indirect(1) });
        agent.channel.send(Buffer.concat([silent, silent, asking.message()]));
        expect((await agent.channel.reply(asking.message())).results).toEqual([42n]);
      });
    });

    describe('errors', () => {
      test('an error stops the program', async () => {
        program.call('getpid', []);
        program.call('close', [NO_FD]);
        program.call('getpid', []);
        await expectResults([BigInt(agent.pid), -EBADF, undefined], 2);
      });

      test('after an error the agent is ready for the next program', async () => {
        program.call('close', [NO_FD]);
        await expectResults([-EBADF]);
        await expectResults([-EBADF]);
      });

      test('IGNORE_ALL goes on', async () => {
        program.call('close', [NO_FD], { flags: IGNORE_ALL });
        program.call('getpid', []);
        await expectResults([-EBADF, BigInt(agent.pid)]);
      });

      test('ignoredErrno goes on after this errno', async () => {
        program.call('close', [NO_FD], { ignoredErrno: Number(EBADF) });
        program.call('getpid', []);
        await expectResults([-EBADF, BigInt(agent.pid)]);
      });

      test('ignoredErrno stops at another errno', async () => {
        program.call('close', [NO_FD], { ignoredErrno: Number(EPERM) });
        program.call('getpid', []);
        await expectResults([-EBADF, undefined], 1);
      });

      test('errors are the results from -4095 to -1', async () => {
        for (const result of [-4096n, 0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n]) {
          program.nothing(result);
        }
        program.nothing(-4095);
        program.nothing(1);
        await expectResults([-4096n, 0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n, -4095n, undefined], 4);
        program = new Program(arch);
        program.nothing(-1);
        program.nothing(1);
        await expectResults([-1n, undefined], 1);
      });

      test('an interrupted call is an error', async () => {
        const { reply } = await interruptedWait(20_000, 0);
        expect(reply.results.at(-1)).toBe(-EINTR);
      });

      test('RESTART calls again', async () => {
        const { reply, milliseconds } = await interruptedWait(500, RESTART);
        expect(reply.results.at(-1)).toBe(0n);
        expect(milliseconds).toBeGreaterThanOrEqual(550);
      });

      test('RETRY asks again, until there is something', async () => {
        const timer = program.call('timerfd_create', [CLOCK_MONOTONIC, TFD_NONBLOCK]);
        // Once, in 100 ms: until then a reader hears EAGAIN.
        const time = program.data(new Uint8Array(new BigUint64Array([0n, 0n, 0n, 100_000_000n]).buffer));
        program.call('timerfd_settime', [resultOf(timer), 0, time, 0], { flags: indirect(0) });
        program.call('read', [resultOf(timer), FAR, 8], { flags: indirect(0) | RETRY });
        program.call('close', [NO_FD], { flags: RETRY });
        program.call('getpid', []);
        const { results, done } = await agent.channel.run(program.message());
        expect(results.slice(1)).toEqual([0n, 8n, -EBADF, UNTOUCHED]);
        expect(done).toBe(4);
      });

      test('RESTART stops at EAGAIN', async () => {
        const timer = program.call('timerfd_create', [CLOCK_MONOTONIC, TFD_NONBLOCK]);
        program.call('read', [resultOf(timer), FAR, 8], { flags: indirect(0) | RESTART });
        program.call('getpid', []);
        const { results } = await agent.channel.run(program.message());
        expect(results.slice(1)).toEqual([-EAGAIN, UNTOUCHED]);
      });

      test('RESTART stops at another error', async () => {
        program.call('close', [NO_FD], { flags: RESTART });
        program.call('getpid', []);
        await expectResults([-EBADF, undefined], 1);
      });

      /** Lets the agent wait for events that do not come, and stops and continues it after 50 ms: one of the ways to EINTR. */
      async function interruptedWait(timeout: number, flags: number) {
        program.call('write', [4, program.text('!'), 1]);
        const epoll = program.call('epoll_create1', [0]);
        program.call('epoll_pwait', [resultOf(epoll), FAR, 1, timeout], { flags: flags | indirect(0) });
        const message = program.message();
        agent.channel.send(message);
        await agent.other.receive(1);
        const start = performance.now();
        let hasReplied = false;
        const replied = agent.channel.reply(message).finally(() => {
          hasReplied = true;
        });
        // A call that goes on is interrupted once; one that ends with it, as often as it takes to find the agent in it.
        do {
          await sleep(50);
          agent.kill('SIGSTOP');
          await sleep(10);
          agent.kill('SIGCONT');
        } while (flags !== RESTART && !hasReplied && performance.now() - start < timeout);
        const reply = await replied;
        return { reply, milliseconds: performance.now() - start };
      }
    });

    describe('jumps', () => {
      // flag, results of the first op that make it jump, results that do not, results that stop the program
      test.each([
        ['JUMP_IF_ZERO', JUMP_IF_ZERO, [0], [1, -4096], [-1, -4095]],
        ['JUMP_IF_OK', JUMP_IF_OK, [0, 1, -4096], [], [-1, -4095]],
        ['JUMP_IF_ERROR', JUMP_IF_ERROR, [-1, -4095], [0, 1, -4096], []],
        ['JUMP', JUMP, [0, 1, -4096, -1, -4095], [], []],
        ['JUMP_IF_ZERO with IGNORE_ALL', JUMP_IF_ZERO | IGNORE_ALL, [0], [1, -1], []],
        ['JUMP_IF_OK with IGNORE_ALL', JUMP_IF_OK | IGNORE_ALL, [0, 1], [-1], []],
        ['JUMP_IF_ZERO with JUMP_IF_ERROR', JUMP_IF_ZERO | JUMP_IF_ERROR, [0, -1], [1], []],
      ] as const)('%s', async (_, flags, jumping, staying, stopping) => {
        for (const result of [...jumping, ...staying, ...stopping]) {
          program = new Program(arch);
          program.nothing(result, { flags, jump: 2 });
          program.nothing(10);
          program.nothing(20);
          const taken = [BigInt(result), undefined, 20n];
          const passed = [BigInt(result), 10n, 20n];
          if ((stopping as readonly number[]).includes(result)) {
            await expectResults([BigInt(result), undefined, undefined], 1);
          } else {
            await expectResults((jumping as readonly number[]).includes(result) ? taken : passed);
          }
        }
      });

      test('system calls jump as well', async () => {
        program.call('close', [NO_FD], { flags: JUMP_IF_ERROR, jump: 2 });
        program.nothing(10);
        program.call('getpid', [], { flags: JUMP, jump: 4 });
        program.nothing(10);
        program.nothing(20);
        await expectResults([-EBADF, undefined, BigInt(agent.pid), undefined, 20n]);
      });

      test('an ignored errno goes on at the next op', async () => {
        program.call('close', [NO_FD], { flags: JUMP_IF_OK, ignoredErrno: Number(EBADF), jump: 2 });
        program.nothing(10);
        program.nothing(20);
        await expectResults([-EBADF, 10n, 20n]);
      });

      test.each([2, 3, 0xffff_ffff])('a jump to op %d of 2 ends the program', async (jump) => {
        program.nothing(0, { flags: JUMP, jump });
        program.nothing(10);
        await expectResults([0n, undefined]);
      });

      test('a jump backwards repeats', async () => {
        // makes descriptors until there is a descriptor 10
        const duplicate = program.call('fcntl', [4, 0 /* F_DUPFD */, 0]);
        program.call('fcntl', [10, 1 /* F_GETFD */], { flags: JUMP_IF_ERROR, jump: duplicate });
        await expectResults([10n, 0n]);
      });

      test('an earlier result can be tested later', async () => {
        const failed = program.call('close', [NO_FD], { flags: IGNORE_ALL });
        program.nothing(resultOf(failed), { flags: indirect(1) | JUMP_IF_ERROR, jump: 3 });
        program.nothing(10);
        program.nothing(resultOf(failed), { flags: indirect(1) }); // and be the end after all
        program.nothing(20);
        await expectResults([-EBADF, -EBADF, undefined, -EBADF, undefined], 4);
      });
    });

    describe('arguments and stores', () => {
      test('every set of the six arguments can be indirect', async () => {
        // maps the second page of a file, so that each of the arguments matters, and reads a number there
        const page = 0x10000;
        const file = program.call('memfd_create', [program.text('six'), 0]);
        program.call('pwrite64', [resultOf(file), program.u64(4711), 8, page], { flags: indirect(0) });
        const expected = [5n, 8n];
        for (let mask = 0; mask < 64; mask++) {
          const at = 0x3000_0000 + mask * page;
          const values = [at, page, 1 /* PROT_READ */, 0x12 /* MAP_PRIVATE | MAP_FIXED */, 5, page];
          const args = values.map((value, i) => (mask & (1 << i) ? program.u64(value) : value));
          program.call('mmap', args, { flags: mask });
          program.nothing(at, { flags: indirect(1) });
          expected.push(BigInt(at), 4711n);
        }
        await expectResults(expected);
      });

      test('STORE writes 64 bits', async () => {
        const word = program.u64(-1);
        program.store(word, 0x0123_4567_89ab_cdefn);
        program.nothing(word, { flags: indirect(1) });
        await expectResults([0x0123_4567_89ab_cdefn, 0x0123_4567_89ab_cdefn]);
      });

      test('STORE32 writes 32 bits, and its result is all 64', async () => {
        const word = program.u64(0x1111_1111_1111_1111n);
        program.store32(word, 0x0123_4567_89ab_cdefn);
        program.nothing(word, { flags: indirect(1) });
        await expectResults([0x0123_4567_89ab_cdefn, 0x1111_1111_89ab_cdefn]);
      });

      test('the address of a store can be indirect, too', async () => {
        const word = program.u64(0);
        program.store(program.u64(word), 42, { flags: indirect(0) });
        program.nothing(word, { flags: indirect(1) });
        await expectResults([42n, 42n]);
      });

      test('a store may change a later op', async () => {
        program.store(resultOf(1) - protocol.OP_RESULT + protocol.OP_ARGS + 8, 42);
        program.nothing(0);
        await expectResults([42n, 42n]);
      });

      test('a store may change the header: here, to have no reply', async () => {
        program.store32(BUF + HEADER_REPLY_LENGTH, 0);
        agent.channel.send(program.message());
        const next = new Program(arch);
        next.nothing(42);
        expect((await agent.channel.run(next.message())).results).toEqual([42n]);
      });
    });

    describe('channels', () => {
      test('SET_CHANNEL to the result of a call: the reply goes there', async () => {
        program.call('dup3', [4, 9, 0], { flags: SET_CHANNEL });
        program.call('close', [3]);
        const message = program.message();
        agent.channel.send(message);
        expect((await agent.other.reply(message)).results).toEqual([9n, 0n]);
        await agent.channel.ended;
        expect((await agent.other.run(message)).results[0]).toBe(9n);
      });

      test('SET_CHANNEL after an error changes nothing', async () => {
        program.call('dup3', [NO_FD, 9, 0], { flags: SET_CHANNEL | IGNORE_ALL });
        await expectResults([-EBADF]);
      });

      test('SET_CHANNEL to a connection that was accepted', async () => {
        const path = join(folder, `${arch}.sock`);
        const address = Buffer.alloc(110);
        address.writeUInt16LE(1 /* AF_UNIX */);
        address.write(path, 2);
        const socket = program.call('socket', [1, 1 /* SOCK_STREAM */, 0]);
        program.call('bind', [resultOf(socket), program.data(address), address.length], { flags: indirect(0) });
        program.call('listen', [resultOf(socket), 1], { flags: indirect(0) });
        await expectResults([5n, 0n, 0n]);

        program = new Program(arch);
        program.call('close', [3]);
        program.call('accept4', [5, 0, 0, 0], { flags: SET_CHANNEL | RESTART });
        program.call('close', [5]);
        const message = program.message();
        agent.channel.send(message);
        await agent.channel.ended;

        const socketEnd = connect(path);
        await once(socketEnd, 'connect');
        const connection = new Channel(socketEnd);
        expect((await connection.reply(message)).results).toEqual([0n, 3n, 0n]);
        const next = new Program(arch);
        next.call('getpid', []);
        expect((await connection.run(next.message())).results).toEqual([BigInt(agent.pid)]);
        connection.close();
        expect(await agent.exit).toEqual({ code: EXIT_GONE, signal: null });
      });

      test('a cloned child goes its own way on its own channel', async () => {
        program.call('clone', [SIGCHLD], { flags: JUMP_IF_ZERO, jump: 2 });
        program.nothing(0, { flags: JUMP, jump: 3 });
        program.nothing(4, { flags: SET_CHANNEL });
        const message = program.message();
        agent.channel.send(message);
        const parent = await agent.channel.reply(message);
        const child = await agent.other.reply(message);
        const pid = parent.results[0];
        expect(parent.results).toEqual([pid, 0n, UNTOUCHED]);
        expect(child.results).toEqual([0n, UNTOUCHED, 4n]);

        program = new Program(arch);
        program.call('getpid', []);
        program.call('getppid', []);
        const [inParent, inChild] = await Promise.all([agent.channel, agent.other].map((channel) => channel.run(program.message())));
        expect(inParent?.results).toEqual([BigInt(agent.pid), BigInt(process.pid)]);
        expect(inChild?.results).toEqual([pid, BigInt(agent.pid)]);

        agent.other.close();
        program = new Program(arch);
        program.call('wait4', [pid ?? 0n, FAR, 0, 0], { flags: RESTART });
        program.nothing(FAR, { flags: indirect(1) });
        await expectResults([pid, BigInt(EXIT_GONE) << 8n]);
      });
    });

    describe('the end', () => {
      test('the channel is closed: exit status 253', async () => {
        program.call('getpid', []);
        await expectResults([BigInt(agent.pid)]);
        agent.channel.close();
        expect(await agent.exit).toEqual({ code: EXIT_GONE, signal: null });
      });

      test('the channel is closed within a message: exit status 253', async () => {
        agent.channel.send(header(100, 0, HEADER_SIZE).subarray(0, 10));
        await sleep(10);
        agent.channel.close();
        expect(await agent.exit).toEqual({ code: EXIT_GONE, signal: null });
      });

      test('the channel is closed while the program runs: exit status 253, and not SIGPIPE', async () => {
        program.call('write', [4, program.text('!'), 1]);
        program.call('nanosleep', [program.data(Buffer.from(BigUint64Array.of(0n, 100_000_000n).buffer)), 0]);
        agent.channel.send(program.message());
        await agent.other.receive(1);
        agent.channel.close();
        expect(await agent.exit).toEqual({ code: EXIT_GONE, signal: null });
      });

      test.each([
        ['shorter than a header', header(HEADER_SIZE - 1, 0, HEADER_SIZE)],
        ['of no length', header(0, 0, HEADER_SIZE)],
        ['longer than the buffer', header(SIZE + 1, 0, HEADER_SIZE)],
        ['longer than anything', header(0xffff_ffff, 0, HEADER_SIZE)],
        ['with fewer bytes than ops', header(HEADER_SIZE + OP_SIZE - 1, 1, HEADER_SIZE)],
        ['with more ops than anything', header(HEADER_SIZE + OP_SIZE, 0xffff_ffff, HEADER_SIZE)],
      ])('a message %s: exit status 252', async (_, message) => {
        agent.channel.send(message);
        expect(await agent.exit).toEqual({ code: EXIT_REFUSED, signal: null });
      });

      test('a reply longer than the buffer: exit status 253', async () => {
        agent.channel.send(header(HEADER_SIZE, 0, SIZE + 1));
        await expect(agent.channel.receive(SIZE + 1)).rejects.toThrow('the channel ended');
        expect(await agent.exit).toEqual({ code: EXIT_GONE, signal: null });
      });

      test('the program can end the agent', async () => {
        program.call('exit_group', [7]);
        agent.channel.send(program.message());
        expect(await agent.exit).toEqual({ code: 7, signal: null });
      });
    });

    describe('seccomp', () => {
      const ALLOW = 0x7fff_0000;
      const KILL_PROCESS = 0x8000_0000;
      const EPERM_FOR_ALL = 0x0005_0001;

      /** Adds the ops that load a filter. A filter is a list of instructions {u16 code, u8 jt, u8 jf, u32 k}. */
      function loadFilter(...instructions: (readonly [code: number, jt: number, jf: number, k: number])[]) {
        const filter = Buffer.alloc(8 * instructions.length);
        for (const [i, [code, jt, jf, k]] of instructions.entries()) {
          filter.writeUInt16LE(code, 8 * i);
          filter.writeUInt8(jt, 8 * i + 2);
          filter.writeUInt8(jf, 8 * i + 3);
          filter.writeUInt32LE(k, 8 * i + 4);
        }
        const description = Buffer.from(BigUint64Array.of(BigInt(instructions.length), BigInt(program.data(filter))).buffer);
        program.call('prctl', [38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0]);
        program.call('seccomp', [1 /* SECCOMP_SET_MODE_FILTER */, 0, program.data(description)]);
      }

      nativeOnly('after a filter only the rest of the program runs', async () => {
        const exitGroup = arch === 'x86_64' ? 231 : 94;
        loadFilter([0x20, 0, 0, 0], [0x15, 0, 1, exitGroup], [0x06, 0, 0, ALLOW], [0x06, 0, 0, KILL_PROCESS]);
        program.call('exit_group', [7]);
        agent.channel.send(program.message());
        expect(await agent.exit).toEqual({ code: 7, signal: null });
      });

      nativeOnly('a failure can be told through shared memory where nothing but execve is allowed', async () => {
        const page = 0x3000_0000;
        const path = join(folder, `${arch}.shared`);
        writeFileSync(path, Buffer.alloc(4096));
        const file = program.call('openat', [-100 /* AT_FDCWD */, program.text(path), 2 /* O_RDWR */]);
        program.call('mmap', [page, 4096, 3 /* PROT_READ | PROT_WRITE */, 0x11 /* MAP_SHARED | MAP_FIXED */, resultOf(file), 0], {
          flags: indirect(4),
        });
        const execve = arch === 'x86_64' ? 59 : 221;
        loadFilter([0x20, 0, 0, 0], [0x15, 0, 1, execve], [0x06, 0, 0, ALLOW], [0x06, 0, 0, EPERM_FOR_ALL]);
        const failed = program.call('execve', [program.text('/does/not/exist'), 0, 0], { flags: JUMP_IF_ERROR, jump: program.next + 1 });
        program.store(page, resultOf(failed), { flags: indirect(1) });
        agent.channel.send(program.message());
        expect(await agent.exit).toEqual({ code: null, signal: 'SIGILL' });
        expect(readFileSync(path).readBigInt64LE()).toBe(-ENOENT);
      });

      nativeOnly('where nothing is allowed, not even to exit, the agent ends all the same', async () => {
        loadFilter([0x06, 0, 0, EPERM_FOR_ALL]);
        agent.channel.send(program.message());
        expect(await agent.exit).toEqual({ code: null, signal: 'SIGILL' });
      });
    });

    describe('the process', () => {
      nativeOnly('is small', async () => {
        await expectResults([]);
        const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1];
        expect(Number(rss)).toBeLessThanOrEqual(140);
      });

      nativeOnly('has no memory that is both writable and executable', async () => {
        await expectResults([]);
        const maps = readFileSync(`/proc/${agent.pid}/maps`, 'utf8').trim().split('\n');
        const permissions = maps.map((line) => line.split(' ')[1] ?? '');
        expect(permissions).toContain('r-xp');
        expect(permissions).toContain('rw-p');
        expect(permissions.filter((permission) => /w.?x/.test(permission))).toEqual([]);
      });

      const withHugePages = here.emulated ? nativeOnly : (name: string, body: () => Promise<void>) => itWith([hugePages], name, body);
      withHugePages('takes no huge page for its buffer, where the kernel has huge pages', async () => {
        await expectResults([]);
        const buffer = readFileSync(`/proc/${agent.pid}/smaps`, 'utf8').split(`${BUF.toString(16)}-`)[1];
        expect(/^VmFlags:.*$/m.exec(buffer ?? '')?.[0]).toMatch(/ nh( |$)/);
      });
    });
  });
}
