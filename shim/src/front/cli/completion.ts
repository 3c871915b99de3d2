/** Completion scripts, made of the grammar: commands and flags are in them, names are asked for when they are needed. */

import { COMMANDS } from '../grammar/commands.ts';
import type { CommandGrammar, Completion, Flag } from './flags.ts';

/** What lists the names of a kind, quietly. */
const LISTS: Readonly<Record<string, string>> = {
  container: "tsctl ps -a --format '{{.Names}}' 2>/dev/null",
  running: "tsctl ps --format '{{.Names}}' 2>/dev/null",
  image: "tsctl images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null",
  network: "tsctl network ls --format '{{.Name}}' 2>/dev/null",
  volume: 'tsctl volume ls -q 2>/dev/null',
};

export function bashScript(): string {
  const cases = COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => bashCase(name, command)));
  return `# bash completion for tsctl: source <(tsctl completion bash)
_tsctl() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command words="" i
  COMPREPLY=()
  command="\${COMP_WORDS[1]}"
  case "$command" in ${groups().join('|')}) [ "$COMP_CWORD" -gt 2 ] && command="$command \${COMP_WORDS[2]}";; esac
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${firstWords().join(' ')}" -- "$cur")); return; fi
  case "$command" in
${groups()
  .map((group) => `    ${group}) COMPREPLY=($(compgen -W "${secondWords(group).join(' ')}" -- "$cur")); return;;`)
  .join('\n')}
${cases.join('\n')}
  esac
}
complete -o default -F _tsctl tsctl`;
}

function bashCase(name: string, command: CommandGrammar): string {
  const flags = command.flags.flatMap((flag) => [`--${flag.name}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])]);
  const values = command.flags.filter((flag) => flag.kind !== 'boolean').map((flag) => valueCase(flag));
  return `    "${name}")
      case "$prev" in ${values.join(' ')} esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "${flags.join(' ')}" -- "$cur")); else ${wordsOf(command.completion)} fi;;`;
}

function valueCase(flag: Flag): string {
  const names = [`--${flag.name}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])].join('|');
  return `${names}) ${wordsOf(flag.completion)} return;;`;
}

/** Ends with a semicolon. */
function wordsOf(completion: Completion | undefined): string {
  if (completion === undefined) return ':;';
  if (completion === 'file') return 'COMPREPLY=($(compgen -f -- "$cur"));';
  const list = typeof completion === 'string' ? `$(${LISTS[completion] ?? 'true'})` : completion.join(' ');
  return `COMPREPLY=($(compgen -W "${list}" -- "$cur"));`;
}

function groups(): string[] {
  return [
    ...new Set(
      COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]).flatMap((name) =>
        name.includes(' ') ? [name.split(' ')[0] ?? ''] : [],
      ),
    ),
  ].sort();
}

function firstWords(): string[] {
  return [...new Set([...COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''), ...groups()])].sort();
}

function secondWords(group: string): string[] {
  const names = COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  return names.flatMap((name) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : [])).sort();
}

/** zsh takes bash's. */
export function zshScript(): string {
  return `# zsh completion for tsctl: source <(tsctl completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bashScript()}`;
}
