// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the language under test.

import { parseIgnoreFile } from '../../ignore/ignore-file.ts';
import { parseDockerfile } from '../parse.ts';
import { type CheckOptions, checkDockerfile } from './check.ts';
import { describeFinding } from './finding.ts';
import { RULES, ruleLink } from './rules.ts';
import { parseCheckSettings } from './settings.ts';

const OPTIONS: CheckOptions = { buildArguments: new Map(), predefined: new Map([['TARGETPLATFORM', 'linux/amd64']]) };

function check(text: string, options: Partial<CheckOptions> = {}): readonly string[] {
  const { findings } = checkDockerfile(parseDockerfile(text), { ...OPTIONS, ...options });
  return findings.map(({ rule, range: { start } }) => `${rule} ${start.line}:${start.column}`);
}

describe('checkDockerfile', () => {
  it.each([
    ['FROM a AS Build', ['StageNameCasing 1:11']],
    ['FROM a as build', ['FromAsCasing 1:8']],
    ['from a AS build', ['FromAsCasing 1:8']],
    ['FROM a\nRUN x \\\n\n y', ['NoEmptyContinuation 3:1']],
    ['FROM a\nrun x\nRUN y', ['ConsistentInstructionCasing 2:1']],
    ['from a\nrun x\nRUN y', ['ConsistentInstructionCasing 3:1']],
    ['FROM a\nRun x', ['ConsistentInstructionCasing 2:1']],
    ['FROM a AS x\nFROM b AS X', ['StageNameCasing 2:11', 'DuplicateStageName 2:11']],
    ['FROM a AS scratch\nFROM b AS context', ['ReservedStageName 1:11', 'ReservedStageName 2:11']],
    ['FROM a\nCMD x', ['JSONArgsRecommended 2:5']],
    ['FROM a\nSHELL ["s"]\nCMD x', []],
    ['FROM a AS b\nSHELL ["s"]\nFROM b\nENTRYPOINT x', []],
    ['FROM a\nHEALTHCHECK CMD x\nRUN x', []],
    ['FROM a\nMAINTAINER x', ['MaintainerDeprecated 2:1']],
    ['FROM a:$V', ['UndefinedArgInFrom 1:1', 'InvalidDefaultArgInFrom 1:6']],
    ['ARG V\nFROM a:$V', ['InvalidDefaultArgInFrom 2:6'], { buildArguments: new Map([['V', '1']]) }],
    ['ARG V=1\nFROM a:$V', []],
    ['ARG V\nFROM a:$V', ['InvalidDefaultArgInFrom 2:6']],
    ['FROM --platform=$TARGETPLATFORM a', ['RedundantTargetPlatform 1:17']],
    ['FROM --platform=linux/arm64 a', ['FromPlatformFlagConstDisallowed 1:17']],
    ['FROM --platform=linux/arm64 a AS build-arm64', []],
    ['FROM --platform=$BUILDPLATFORM a', ['UndefinedArgInFrom 1:1']],
    ['FROM scratch\nCOPY $no /x', ['UndefinedVar 2:1']],
    ['FROM a\nCOPY $no $PATH $GOPATH /x', []],
    ['FROM a\nENV version=1\nCOPY $versio /x', ['UndefinedVar 3:1']],
    ['FROM a\nCOPY $no /x', ['UndefinedVar 2:1'], { environments: new Map([[0, ['yes=1']]]) }],
    ['FROM a\nCOPY $yes /x', [], { environments: new Map([[0, ['yes=1']]]) }],
    ['FROM a\nARG no\nCOPY $no /x', []],
    ['ARG V=1\nFROM a\nCOPY $V /x', ['UndefinedVar 3:1']],
    ['FROM a\nWORKDIR b\nWORKDIR c', ['WorkdirRelativePath 2:1']],
    ['FROM a\nWORKDIR /b\nWORKDIR c', []],
    ['FROM a AS x\nWORKDIR /b\nFROM x\nWORKDIR c', []],
    ['FROM a\nCMD ["x"]\nCMD ["y"]\nENTRYPOINT ["x"]', ['MultipleInstructionsDisallowed 2:1']],
    ['FROM a\nENV b c\nLABEL d e', ['LegacyKeyValueFormat 2:1', 'LegacyKeyValueFormat 3:1']],
    [
      'ARG API_KEY\nFROM a\nENV my_token=x PASSWORD=y PUBLIC_KEY=z TOKEN_FILE=a KEYBOARD=b',
      ['SecretsUsedInArgOrEnv 1:5', 'SecretsUsedInArgOrEnv 3:5', 'SecretsUsedInArgOrEnv 3:16'],
    ],
    ['FROM a\nEXPOSE 80/TCP 127.0.0.1:80:80', ['ExposeProtoCasing 2:8', 'ExposeInvalidFormat 2:15']],
    ['# other\nARG a=1\nFROM a', [], {}],
    ['# check=experimental=all\n# other\nARG a=1\nFROM a', ['InvalidDefinitionDescription 3:1']],
    ['# check=experimental=all\n# a is a thing\nARG a=1\n# other\n\nFROM a', []],
    ['# check=skip=JSONArgsRecommended\nFROM a\nCMD x\nMAINTAINER y', ['MaintainerDeprecated 4:1']],
    ['# check=skip=all\nFROM a as B\nCMD x', []],
    ['FROM a\n# check=skip=JSONArgsRecommended\nCMD x\nENTRYPOINT x', ['JSONArgsRecommended 4:12']],
    ['FROM a\nVOLUME $unknown', []],
  ])('%j', (text, findings, options = {}) => {
    expect(check(text, options)).toEqual(findings);
  });

  it('knows what the ignore file excludes', () => {
    const ignoreFile = parseIgnoreFile('*.md\nbuild\n');
    const text = 'FROM a AS b\nCOPY build/x README.md src /y/\nADD https://x/README.md ./build /\nCOPY --from=b build /\nCOPY . /';
    expect(check(text, { ignoreFile })).toEqual(['CopyIgnoredFile 2:6', 'CopyIgnoredFile 2:14', 'CopyIgnoredFile 3:25']);
    expect(check('FROM a\nCOPY . /', { ignoreFile: parseIgnoreFile('*') })).toEqual(['CopyIgnoredFile 2:6']);
    expect(check(text, { ignoreFile: parseIgnoreFile('*\n!build') })).toEqual([]);
  });

  it('says when findings are a failure', () => {
    expect(checkDockerfile(parseDockerfile('# check=error=true\nFROM a\nCMD x'), OPTIONS).isError).toBe(true);
    expect(checkDockerfile(parseDockerfile('# check=error=true\nFROM a'), OPTIONS).isError).toBe(false);
    expect(checkDockerfile(parseDockerfile('FROM a\nCMD x'), OPTIONS).isError).toBe(false);
  });

  it('describes a finding', () => {
    const file = parseDockerfile("FROM a\nCMD ['x']");
    const [finding] = checkDockerfile(file, OPTIONS).findings;
    expect(finding && describeFinding(file.source, finding)).toBe(
      [
        'Dockerfile:2:5: CMD is run by a shell: this array is no JSON, whose strings stand in double quotes (JSONArgsRecommended)',
        '  1 | FROM a',
        "  2 | CMD ['x']",
        '    |     ^^^^^',
        'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
      ].join('\n'),
    );
  });

  it('refuses a directive it does not understand', () => {
    expect(() => check('# check=skip\nFROM a')).toThrow(/Dockerfile:1:1: check: "skip": there are skip=/);
  });
});

describe('rules', () => {
  it('has links as docker writes them', () => {
    expect((Object.keys(RULES) as (keyof typeof RULES)[]).map((name) => ruleLink(name).split('/').at(-2))).toEqual(
      expect.arrayContaining([
        'json-args-recommended',
        'from-platform-flag-const-disallowed',
        'undefined-var',
        'secrets-used-in-arg-or-env',
      ]),
    );
  });
});

describe('parseCheckSettings', () => {
  it.each([
    ['skip=A,B;error=true', { skip: ['A', 'B'], experimental: [], error: true }],
    ['skip=all', { skip: 'all', experimental: [], error: false }],
    ['experimental=A; skip=B,C', { skip: ['B', 'C'], experimental: ['A'], error: false }],
    ['error=false # why', { skip: [], experimental: [], error: false }],
  ])('reads %j', (text, settings) => {
    expect(parseCheckSettings(text)).toEqual(settings);
  });

  it.each(['skip', 'other=1', 'error=maybe'])('refuses %j', (text) => {
    expect(parseCheckSettings(text)).toContain('there are skip=');
  });
});
