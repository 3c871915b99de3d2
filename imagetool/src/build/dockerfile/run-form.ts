/** What a RUN with or without heredocs runs. */

import type { RunInstruction } from './ast.ts';
import type { RunForm } from './expanded.ts';
import { chompTabs, parseHeredoc } from './heredocs.ts';
import { Span } from './span.ts';

export function runForm({ command, heredocs }: RunInstruction): RunForm {
  if (command.form === 'exec') return { form: 'exec', argv: command.argv };
  const [first] = heredocs;
  if (first === undefined) return { form: 'shell', text: command.line };
  const isAlone = parseHeredoc(Span.of([{ text: command.line, line: 1, column: 1 }])) !== undefined;
  if (isAlone) {
    // The body itself is what runs, so that shells without heredocs can do it as well.
    const content = first.chomps ? chompTabs(first.body) : first.body;
    return content.startsWith('#!') ? { form: 'script', name: first.name, content } : { form: 'shell', text: content };
  }
  // The shell reads the heredocs itself: it gets what stands in the file.
  const bodies = heredocs.map(({ body, name }) => `\n${body}${name}`);
  return { form: 'shell', text: [command.line, ...bodies].join('') };
}
