import type { ContainerConfig, ImageConfig } from '../../../../specs/image/config.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { type BuildPlan, planBuild } from './stages.ts';

const platform = { os: 'linux', architecture: 'amd64' };

async function plan(
  text: string,
  options: { config?: ContainerConfig; target?: string; args?: Record<string, string>; named?: string[] } = {},
): Promise<BuildPlan> {
  const image: ImageConfig = { ...platform, config: options.config ?? { Env: ['PATH=/bin'] }, rootfs: { type: 'layers', diff_ids: [] } };
  return await planBuild({
    dockerfile: parseDockerfile(text),
    ...(options.target === undefined ? {} : { target: options.target }),
    buildArguments: new Map(Object.entries(options.args ?? {})),
    buildPlatform: platform,
    platform,
    named: new Set(options.named ?? []),
    namedImages: new Map(),
    network: 'default',
    imageConfig: async () => image,
  });
}

describe('planBuild', () => {
  it('takes only the stages that the target needs', async () => {
    const text =
      'FROM a AS one\nFROM b AS unused\nRUN false\nFROM one AS two\nFROM c\nCOPY --from=two / /\nRUN --mount=from=one,target=/m true\n';
    expect((await plan(text)).stages.map(({ index }) => index)).toEqual([0, 2, 3]);
    expect((await plan(text, { target: 'UNUSED' })).stages.map(({ index }) => index)).toEqual([1]);
    await expect(plan(text, { target: 'three' })).rejects.toThrow('there is no stage "three"');
  });

  it('knows stages, images and contexts apart', async () => {
    const text = 'FROM a AS one\nFROM b\nCOPY --from=one x /\nCOPY --from=0 x /\nCOPY --from=ctx x /\nCOPY --from=busybox:1 x /\n';
    const { target } = await plan(text, { named: ['ctx'] });
    expect(target.steps.map((step) => (step.kind === 'copy' ? step.from : undefined))).toEqual([
      { kind: 'stage', index: 0 },
      { kind: 'stage', index: 0 },
      { kind: 'named', name: 'ctx' },
      { kind: 'image', reference: 'busybox:1', platform },
    ]);
    await expect(plan('FROM a\nCOPY --from=1 x /\nFROM b AS later\n', { target: '0' })).rejects.toThrow('stages before it only');
  });

  it('gives a RUN what stands before it, and history the words of docker', async () => {
    const text = 'FROM a\nARG V=1\nENV A=$V\nWORKDIR x\nWORKDIR y\nUSER u\nSHELL ["/bin/ash", "-c"]\nRUN make $A\nCMD go\n';
    const { target } = await plan(text, { args: { V: '2', http_proxy: 'p' } });
    expect(target.steps.at(-1)).toMatchObject({
      kind: 'run',
      argv: ['/bin/ash', '-c', 'make $A'],
      env: ['PATH=/bin', 'V=2', 'A=2'],
      proxyEnv: ['http_proxy=p'],
      workdir: '/x/y',
      user: 'u',
    });
    expect(target.history.map(({ createdBy }) => createdBy)).toEqual([
      'ARG V=2',
      'ENV A=2',
      'WORKDIR /x',
      'WORKDIR /x/y',
      'USER u',
      'SHELL [/bin/ash -c]',
      'RUN |1 V=2 /bin/ash -c make $A # buildkit',
      'CMD ["/bin/ash" "-c" "go"]',
    ]);
  });

  it('merges configurations as docker does', async () => {
    const base: ContainerConfig = { Env: ['PATH=/bin'], Cmd: ['base'], Labels: { a: '1' }, OnBuild: ['RUN trigger', 'ENV T=1'] };
    const { config, steps } = (await plan('FROM a\nENTRYPOINT ["e"]\nLABEL b=2\nEXPOSE 80-81\nVOLUME /v\n', { config: base })).target;
    expect(config).toEqual({
      Env: ['PATH=/bin', 'T=1'],
      Entrypoint: ['e'],
      Labels: { a: '1', b: '2' },
      ExposedPorts: { '80/tcp': {}, '81/tcp': {} },
      Volumes: { '/v': {} },
    });
    expect(steps.map(({ title }) => title)).toEqual(['RUN trigger']);
    expect((await plan('FROM a\nCMD ["own"]\nENTRYPOINT ["e"]\n', { config: base })).target.config.Cmd).toEqual(['own']);
  });

  it('says where an image is named that cannot be had', async () => {
    const options = {
      dockerfile: parseDockerfile('FROM nowhere\n', 'D'),
      buildArguments: new Map(),
      buildPlatform: platform,
      platform,
      network: 'default',
    } as const;
    const failing = planBuild({
      ...options,
      named: new Set(),
      namedImages: new Map(),
      imageConfig: () => Promise.reject(new Error('gone')),
    });
    await expect(failing).rejects.toThrow(/D:1:6: the base image nowhere cannot be had: gone/);
  });
});
