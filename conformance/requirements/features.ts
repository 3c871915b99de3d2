/** The requirements of `features.md` and `features-linux.md`. */
import { must, mustNot, type Requirements, shouldNot, untestable } from '../harness/requirement.ts';

export const featuresRequirements = {
  'features/version-min-accepted': must('features.md#specification-version', 'A configuration of the least version named is accepted.'),
  'features/version-max-accepted': must('features.md#specification-version', 'A configuration of the greatest version named is accepted.'),
  'features/version-order': mustNot('features.md#specification-version', 'The greatest version is not less than the least one.'),
  'features/only-defined': mustNot(
    'features.md#specification-version',
    'There is no property that the greatest version named does not define.',
  ),
  'features/null-is-not-empty': mustNot('features.md#features-structure', 'Null is unknown, which is not the same as empty or false.'),
  'features/hooks': must('features.md#hooks', 'Every hook that is listed is supported.'),
  'features/mount-options': must('features.md#mount-options', 'Every mount option that is listed is recognized.'),
  'features/mount-options-not-data': shouldNot('features.md#mount-options', 'Options that are data of one file system are not listed.'),
  'features/annotations': must('features.md#annotations', 'Annotations are strings by non-empty keys.'),
  'features-linux/namespaces': must('features-linux.md#namespaces', 'Every namespace type that is listed is recognized.'),
  'features-linux/capabilities': must('features-linux.md#capabilities', 'Every capability that is listed is recognized.'),
  'features-linux/seccomp-actions': must('features-linux.md#seccomp', 'Every seccomp action that is listed is recognized.'),
  'features-linux/seccomp-operators': must('features-linux.md#seccomp', 'Every seccomp operator that is listed is recognized.'),
  'features-linux/seccomp-archs': must('features-linux.md#seccomp', 'Every seccomp architecture that is listed is recognized.'),
  'features-linux/seccomp-known-flags': must('features-linux.md#seccomp', 'Every seccomp flag that is listed as known is recognized.'),
  'features-linux/seccomp-supported-flags': must('features-linux.md#seccomp', 'Every seccomp flag that is listed as supported works.'),
  'features-linux/memory-policy-modes': must('features-linux.md#memorypolicy', 'Every memory policy that is listed is recognized.'),
  'features-linux/memory-policy-flags': must(
    'features-linux.md#memorypolicy',
    'Every flag of memory policies that is listed is recognized.',
  ),
  'features-linux/idmap': must(
    'features-linux.md#mountextensions',
    'Whoever reads the mappings of mounts says so, even if only some can be carried out.',
  ),
  'features/compile-time': untestable(
    must('features.md#features-structure', 'The structure tells what the runtime implements, not what this host has.'),
    'it takes two hosts to see the difference',
  ),
} as const satisfies Requirements;
