import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, describeWith } from '../../../../.scripts/jest/requirement.ts';
import { bashScript, zshScript } from './completion.ts';

describeWith([command('bash')], 'bashScript', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'completion-'));
    // What it asks for names.
    writeFileSync(
      join(directory, 'tsctl'),
      '#!/bin/sh\n[ "$1" = ps ] && echo "web db"; [ "$1" = images ] && echo busybox:latest; exit 0\n',
    );
    chmodSync(join(directory, 'tsctl'), 0o755);
    writeFileSync(join(directory, 'script'), bashScript());
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** What bash would offer for the last word. */
  function offered(...words: string[]): string[] {
    const line = ['tsctl', ...words].map((word) => `'${word}'`).join(' ');
    const program = `. "$0/script"; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _tsctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program, directory], {
      encoding: 'utf8',
      env: { PATH: `${directory}:${process.env['PATH']}` },
    });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((word) => word !== '');
  }

  it('offers commands, commands of groups, and flags', () => {
    expect(offered('ren')).toEqual(['rename']);
    expect(offered('volume', 'pr')).toEqual(['prune']);
    expect(offered('run', '--restar')).toEqual(['--restart']);
    expect(offered('container', 'ls', '--no')).toEqual(['--no-trunc']);
  });

  it('offers names, images, and the values of flags', () => {
    expect(offered('stop', '')).toEqual(['web', 'db']);
    expect(offered('run', 'busy')).toEqual(['busybox:latest']);
    expect(offered('run', '--pull', 'al')).toEqual(['always']);
  });
});

describe('zshScript', () => {
  it("loads what lets zsh take bash's", () => {
    expect(zshScript()).toContain('bashcompinit');
    expect(zshScript()).toContain('complete -o default -F _tsctl tsctl');
  });
});
