/** How the process is run: the image's configuration, changed by flags and by the words after the image. */

import type { ContainerConfig } from '../../../../specs/image/config.ts';
import { invalid } from '../../container/errors.ts';
import { shortId } from '../../container/id.ts';
import type { RunConfig } from '../../container/record.ts';
import type { Arguments } from '../cli/flags.ts';
import { environmentOf, labelsOf } from './environment.ts';
import { healthcheckOf } from './health.ts';
import { exposedPortsOf } from './host-config.ts';

export interface RunConfigOptions {
  readonly args: Arguments;
  readonly image: ContainerConfig;
  /** As the user wrote it. */
  readonly imageName: string;
  /** Words after the image. */
  readonly command: readonly string[];
  readonly id: string;
  /** The caller's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isDetached: boolean;
}

/** @throws ContainerError invalid */
export function runConfigOf(options: RunConfigOptions): RunConfig {
  const { args, image, command } = options;
  const tty = args.flag('tty');
  const interactive = args.flag('interactive');
  const attach = attachOf(args, options.isDetached);
  const healthcheck = healthcheckOf(args, image.Healthcheck);
  const { Entrypoint, Cmd } = commandOf(args, image, command);
  const { Entrypoint: _e, Cmd: _c, Healthcheck: _h, ...rest } = image;
  return {
    ...rest,
    Hostname: args.value('hostname') ?? shortId(options.id),
    ...(args.has('domainname') ? { Domainname: args.value('domainname') ?? '' } : {}),
    User: args.value('user') ?? image.User ?? '',
    Tty: tty,
    OpenStdin: interactive,
    StdinOnce: interactive && !options.isDetached,
    ...attach,
    Env: environmentOf(image.Env ?? [], args.values('env'), args.values('env-file'), options.env),
    ...(Cmd === undefined ? {} : { Cmd }),
    ...(Entrypoint === undefined ? {} : { Entrypoint }),
    Image: options.imageName,
    WorkingDir: workingDirectory(args.value('workdir'), image.WorkingDir),
    Labels: { ...image.Labels, ...labelsOf(args.values('label'), args.values('label-file')) },
    ExposedPorts: exposedPortsOf(args, image.ExposedPorts),
    ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
    ...(args.has('stop-signal') ? { StopSignal: args.value('stop-signal') ?? '' } : {}),
    ...(args.has('stop-timeout') ? { StopTimeout: Number(args.value('stop-timeout')) } : {}),
  };
}

/** An entry point given makes the image's command void; `--entrypoint ''` takes away the image's. */
function commandOf(args: Arguments, image: ContainerConfig, command: readonly string[]): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  const given = args.value('entrypoint');
  const Entrypoint = given === undefined ? image.Entrypoint : [given].filter((word) => word !== '');
  const imageCommand = given === undefined ? image.Cmd : [];
  const Cmd = command.length > 0 ? [...command] : imageCommand;
  if ((Entrypoint ?? []).length + (Cmd ?? []).length === 0) {
    throw invalid('No command specified', 'The image names none: say it after the image.');
  }
  return { ...(Entrypoint === undefined ? {} : { Entrypoint }), ...(Cmd === undefined ? {} : { Cmd }) };
}

function attachOf(args: Arguments, isDetached: boolean): Pick<RunConfig, 'AttachStdin' | 'AttachStdout' | 'AttachStderr'> {
  const given = args.values('attach').map((word) => word.toLowerCase());
  const wrong = given.find((word) => !['stdin', 'stdout', 'stderr'].includes(word));
  if (wrong !== undefined) {
    throw invalid(`invalid argument "${wrong}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`);
  }
  if (isDetached && given.length > 0) throw invalid('Conflicting options: -a and -d');
  if (isDetached) return { AttachStdin: false, AttachStdout: false, AttachStderr: false };
  if (given.length > 0) {
    return { AttachStdin: given.includes('stdin'), AttachStdout: given.includes('stdout'), AttachStderr: given.includes('stderr') };
  }
  return { AttachStdin: args.flag('interactive'), AttachStdout: true, AttachStderr: true };
}

function workingDirectory(given: string | undefined, image: string | undefined): string {
  if (given !== undefined && !given.startsWith('/')) {
    throw invalid(`the working directory '${given}' is invalid, it needs to be an absolute path`);
  }
  return given ?? image ?? '';
}
