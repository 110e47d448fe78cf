/** `kubetape completion`: what a shell loads, so that Tab completes verbs, flags, types and the names of what is recorded. */
import { Argument } from 'commander';
import type { Define } from './context.ts';
import { examples } from './setting-flags.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const defineCompletion: Define = (command, context) => {
  command.description(
    'Print a script for the shell. With it, Tab completes verbs, flags, types, and the names of recorded objects; for `kubectl tape` put kubectl_complete-tape on the PATH too.',
  );
  examples(command, [
    [`source <(${context.name} completion bash)`, 'in ~/.bashrc'],
    [`source <(${context.name} completion zsh)`, 'in ~/.zshrc'],
    [`${context.name} completion fish > ~/.config/fish/completions/kubetape.fish`, ''],
  ]);
  command.addArgument(new Argument('<shell>', 'which shell').choices(SHELLS)).action((shell: Shell) => {
    context.stdout.write(SCRIPTS[shell]);
  });
};

/** Each asks `kubetape __complete WORDS…`, whose last word is the one to complete, for one candidate a line. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of kubetape
_kubetape() {
  local words candidate
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    [[ -n $candidate && $candidate == "\${words[-1]}"* ]] && COMPREPLY+=("$candidate")
  done < <(kubetape __complete "\${words[@]}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} != */ ]]; then COMPREPLY[0]="\${COMPREPLY[0]} "; fi
}
complete -o nospace -F _kubetape kubetape
`,
  zsh: `#compdef kubetape
_kubetape() {
  local -a candidates
  local line
  while IFS= read -r line; do
    candidates+=("\${line%%$'\\t'*}")
  done < <(kubetape __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  local -a full partial
  full=("\${(@)candidates:#*/}")
  partial=("\${(@M)candidates:#*/}")
  compadd -a full
  compadd -S '' -a partial
}
compdef _kubetape kubetape
`,
  fish: `# fish completion of kubetape
function __kubetape_complete
  set -l words (commandline -opc) (commandline -ct)
  kubetape __complete $words[2..-1] 2>/dev/null
end
complete -c kubetape -f -a '(__kubetape_complete)'
`,
};
