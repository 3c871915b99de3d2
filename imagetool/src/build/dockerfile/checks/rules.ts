/** What `--check` looks for: buildkit's rules, by its names. https://docs.docker.com/reference/build-checks/ */

export interface Rule {
  readonly description: string;
  /** Only looked for where it is asked for: `# check=experimental=…`. */
  readonly isExperimental?: true;
}

export const RULES = {
  ConsistentInstructionCasing: { description: 'All instructions are written in upper case, or all in lower case' },
  CopyIgnoredFile: { description: 'What COPY and ADD take is not excluded by the ignore file' },
  DuplicateStageName: { description: 'Every stage has a name of its own' },
  ExposeInvalidFormat: { description: 'EXPOSE has no address and no port of the host' },
  ExposeProtoCasing: { description: 'The protocol in EXPOSE is in lower case' },
  FromAsCasing: { description: 'AS is written as FROM is, in upper or lower case' },
  FromPlatformFlagConstDisallowed: { description: 'The platform of FROM is not fixed' },
  InvalidDefaultArgInFrom: { description: 'The defaults of global arguments make a name of an image' },
  InvalidDefinitionDescription: {
    description: 'A comment right above a stage or an argument begins with its name: it is the description that docker build --call shows',
    isExperimental: true,
  },
  JSONArgsRecommended: { description: 'CMD and ENTRYPOINT are JSON arrays, so that signals reach the program' },
  LegacyKeyValueFormat: { description: 'ENV and LABEL have an equals sign' },
  MaintainerDeprecated: { description: 'The author is a label: MAINTAINER is deprecated' },
  MultipleInstructionsDisallowed: { description: 'CMD, ENTRYPOINT and HEALTHCHECK are there once in a stage' },
  NoEmptyContinuation: { description: 'A continued instruction has no blank lines' },
  RedundantTargetPlatform: { description: 'FROM does not name $TARGETPLATFORM, which it takes anyway' },
  ReservedStageName: { description: 'No stage is called context or scratch' },
  SecretsUsedInArgOrEnv: { description: 'ARG and ENV hold no secrets: they stay in the image' },
  StageNameCasing: { description: 'Names of stages are in lower case' },
  UndefinedArgInFrom: { description: 'FROM uses only arguments that are declared before it' },
  UndefinedVar: { description: 'Variables are defined before they are used' },
  WorkdirRelativePath: { description: 'The first WORKDIR of a stage is absolute: the one of the base image may change' },
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;

/** Where docker explains the rule. */
export function ruleLink(name: RuleName): string {
  const slug = name
    .replace(/([a-z])(?=[A-Z])/g, '$1-')
    .replace(/([A-Z])(?=[A-Z][a-z])/g, '$1-')
    .toLowerCase();
  return `https://docs.docker.com/go/dockerfile/rule/${slug}/`;
}
