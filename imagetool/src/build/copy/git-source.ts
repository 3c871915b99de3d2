/** What docker takes for a repository: git's own schemes, `github.com/…`, and URLs whose path ends in `.git`. */
export function isGitSource(source: string): boolean {
  return /^(?:git@|git:\/\/|ssh:\/\/|github\.com\/)/.test(source) || /^https?:\/\/[^?#]*\.git(?:#.*)?$/.test(source);
}
