import { LocaldError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { print } from '../output/terminal.ts'

/*
 * The scripts pass the typed words as arguments to `locald __complete`, which knows what may follow. None evaluates a word
 * or a name: neither can run anything.
 */

/** Bash splits words at the colon of `shop:api`: they are joined again, and of a name only what follows it is replied. */
const bash = String.raw`# Put this into ~/.bashrc: eval "$(locald completion bash)"
_locald() {
  local rest="\${COMP_LINE:0:COMP_POINT}" trimmed word about i n=-1 paths=none
  local -a words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    trimmed="\${rest#"\${rest%%[![:space:]]*}"}"
    word="\${COMP_WORDS[i]}"
    ((i == COMP_CWORD)) && word="$trimmed"
    if ((n > 0)) && [[ "$trimmed" == "$rest" && -n "$rest" ]]; then words[n]+="$word"; else words[++n]="$word"; fi
    rest="\${trimmed#"$word"}"
  done
  local current="\${words[n]}" before=
  [[ "$COMP_WORDBREAKS" == *:* && "$current" == *:* ]] && before="\${current%"\${current##*:}"}"
  [[ "$COMP_WORDBREAKS" == *=* && "$current" == --*=* ]] && before="\${current%%=*}="
  COMPREPLY=()
  while IFS=$'\t' read -r word about; do
    if [[ "$word" == :* ]]; then paths="\${word#:}"; else COMPREPLY+=("\${word#"$before"}"); fi
  done < <(command locald __complete -- "\${words[@]:1}" 2>/dev/null </dev/null)
  [[ $paths == none ]] && compopt +o default 2>/dev/null
  [[ $paths == folders ]] && compopt -o dirnames +o default 2>/dev/null
}
complete -o default -F _locald locald`

const zsh = String.raw`#compdef locald
# Put this into ~/.zshrc, after compinit: eval "$(locald completion zsh)"
_locald() {
  local line paths=none
  local -a candidates
  while IFS= read -r line; do
    if [[ $line == :* ]]; then paths=\${line#:}
    else candidates+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}"); fi
  done < <(command locald __complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)
  (($#candidates)) && _describe 'locald' candidates
  case $paths in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
compdef _locald locald`

const fish = `# Put this into ~/.config/fish/completions/locald.fish
function __locald_complete
  set -l words (commandline -opc)
  set -e words[1]
  set -l current (commandline -ct | string collect)
  for line in (command locald __complete -- $words "$current" 2>/dev/null </dev/null)
    switch $line
      case ':files'
        __fish_complete_path "$current"
      case ':folders'
        __fish_complete_directories "$current" ''
      case ':none'
      case '*'
        echo $line
    end
  end
end
complete -c locald -f -a '(__locald_complete)'`

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish }

/** `locald completion`: prints a script by which a shell completes commands, flags and names. It needs no daemon. */
export async function completion(context: Context): Promise<number> {
  const [shell = ''] = context.args.positionals
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
  if (script === undefined) {
    throw new LocaldError('USAGE', `unknown shell '${shell}'`, {
      hint: `Use one of ${Object.keys(scripts).join(', ')}.`,
    })
  }
  // String.raw keeps the backslash before `${`.
  print(script.replaceAll('\\${', '${'))
  return 0
}
