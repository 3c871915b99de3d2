import { close } from '../linux/files.ts';
import { killAndReap, waitForExit } from '../linux/processes.ts';
import { createNodeSys } from '../sys/node.ts';
import { openAgentImage, startAgent } from './agent-process.ts';
import { InitProcess } from './init-process.ts';
import { Program } from './program.ts';

const sys = createNodeSys();

function withInit(body: (init: InitProcess) => void): void {
  const image = openAgentImage(sys);
  const agent = startAgent(sys, {
    image,
    fds: [
      [0, 0],
      [1, 1],
      [2, 2],
    ],
    channelFd: 5,
  });
  const init = new InitProcess(sys, agent.pid, agent.channel);
  try {
    body(init);
  } finally {
    init.release();
    waitForExit(sys, agent.pid);
    close(sys, image);
  }
}

describe('InitProcess', () => {
  it('gives the results of the calls', () => {
    withInit((init) => {
      const program = new Program({ step: 'ask for ids' });
      const pid = program.call('getpid', []);
      const cwd = program.output(4096);
      program.call('getcwd', [cwd, 4096]);
      const results = init.run(program);
      expect(results.value(pid)).toBe(init.pid);
      expect(sys.decode(results.output(cwd)).split('\0')[0]).toBe(process.cwd());
    });
  });

  it('names the step, the call, the object and the place in config.json of a failure', () => {
    withInit((init) => {
      const program = new Program({ step: 'mount /proc', configPath: 'mounts[0]' });
      program.call('getpid', []);
      program.call('openat', [-100, '/does/not/exist', 0, 0]);
      expect(() => init.run(program)).toThrow(
        expect.objectContaining({
          message: 'mount /proc: openat /does/not/exist: no such file or directory',
          errno: 2,
          configPath: 'mounts[0]',
          step: 'mount /proc',
        }),
      );
    });
  });

  it('gives up on an agent that hangs', () => {
    const image = openAgentImage(sys);
    const agent = startAgent(sys, { image, fds: [[0, 0]], channelFd: 5 });
    const init = new InitProcess(sys, agent.pid, agent.channel, 50);
    process.kill(agent.pid, 'SIGSTOP');
    const program = new Program({ step: 'mount /proc' });
    program.call('getpid', []);
    try {
      expect(() => init.run(program)).toThrow('the init process does not answer while mount /proc');
    } finally {
      init.release();
      killAndReap(sys, agent.pid);
      close(sys, image);
    }
  });

  it('says so when the agent was killed', () => {
    withInit((init) => {
      process.kill(init.pid, 'SIGKILL');
      const program = new Program({ step: 'mount /proc' });
      program.call('getpid', []);
      expect(() => init.run(program)).toThrow('the init process died while mount /proc');
    });
  });
});
