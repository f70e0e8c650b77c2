import { LocaldError } from '../../kernel/errors.ts'
import { commands, families } from '../args/commands.ts'
import { globalFlags } from '../args/flags.ts'
import { pluginCommands } from '../args/plugin-commands.ts'
import type { Flag } from '../args/spec.ts'
import type { Context } from '../context.ts'
import { print } from '../output/terminal.ts'

/** A word that may be typed next. */
interface Candidate {
  readonly word: string
  readonly about: string
  readonly flag?: Flag
}

const writers: Readonly<Record<string, () => string>> = { bash: writeBash, zsh: writeZsh, fish: writeFish }

/** `locald completion`: prints a script by which a shell completes commands and flags. It needs no daemon. */
export async function completion(context: Context): Promise<number> {
  const [shell = ''] = context.args.positionals
  const write = Object.hasOwn(writers, shell) ? writers[shell] : undefined
  if (write === undefined) {
    throw new LocaldError('USAGE', `unknown shell '${shell}'`, {
      hint: `Use one of ${Object.keys(writers).join(', ')}.`,
    })
  }
  print(write())
  return 0
}

/** Lists what may follow the words typed so far: commands, then subcommands, then flags. */
function listCandidates(): readonly (readonly [typed: string, candidates: readonly Candidate[]])[] {
  const all = [...commands, ...pluginCommands.map(command => ({ ...command, flags: [] }))]
  const single = all.filter(({ name }) => !name.includes(' ')).map(({ name, about }) => ({ word: name, about }))
  const firsts = Object.entries(families).map(([word, about]) => ({ word, about }))
  const flagsOf = (flags: readonly Flag[]) =>
    [...flags, ...globalFlags].map(flag => ({ word: `--${flag.name}`, about: flag.about, flag }))
  return [
    ['', [...single, ...firsts, ...flagsOf([])]],
    ...firsts.map(({ word: first }): [string, readonly Candidate[]] => [
      first,
      all.flatMap(({ name, about }) =>
        name.startsWith(`${first} `) ? [{ word: name.slice(first.length + 1), about }] : [],
      ),
    ]),
    ...all.map(({ name, flags = [] }): [string, readonly Candidate[]] => [name, flagsOf(flags)]),
  ]
}

/** Whether arguments may follow the typed words, besides the candidates. */
function takesMore(typed: string): boolean {
  return typed !== '' && !Object.hasOwn(families, typed)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function writeBash(): string {
  const cases = listCandidates().map(([typed, candidates]) => {
    const pattern = takesMore(typed) ? `${quote(typed)}|${quote(`${typed} `)}*` : quote(typed)
    return `    ${pattern}) candidates=${quote(candidates.map(({ word }) => word).join(' '))} ;;`
  })
  return `# Put this into ~/.bashrc: eval "$(locald completion bash)"
_locald() {
  local typed= word candidates=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || typed+="\${typed:+ }$word"
  done
  case "$typed" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _locald locald`
}

function writeZsh(): string {
  const cases = listCandidates().map(([typed, candidates]) => {
    const pattern = takesMore(typed) ? `${quote(typed)}|${quote(`${typed} `)}*` : quote(typed)
    const list = candidates.map(({ word, about }) => quote(`${word}:${about}`)).join(' ')
    return `    ${pattern}) candidates=(${list}) ;;`
  })
  return `#compdef locald
# Put this into ~/.zshrc, after compinit: eval "$(locald completion zsh)"
_locald() {
  local typed= word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* ]] || typed+="\${typed:+ }$word"
  done
  case "$typed" in
${cases.join('\n')}
  esac
  _describe 'locald' candidates || _files
}
compdef _locald locald`
}

function writeFish(): string {
  const lines = listCandidates().flatMap(([typed, candidates]) =>
    candidates.map(({ word, about, flag }) => {
      const condition = `-n ${quote(`__locald_typed ${JSON.stringify(typed)}${takesMore(typed) ? ' more' : ''}`)}`
      const what =
        flag === undefined
          ? `-f -a ${quote(word)}`
          : `-l ${flag.name}${flag.short === undefined ? '' : ` -s ${flag.short}`}${flag.value === undefined ? '' : ' -x'}`
      return `complete -c locald ${condition} ${what} -d ${fishQuote(about)}`
    }),
  )
  return `# Put this into ~/.config/fish/completions/locald.fish
function __locald_typed
  set -l typed
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; or set -a typed $word
  end
  set -l line (string join ' ' -- $typed)
  test "$line" = "$argv[1]"; or begin
    test "$argv[2]" = more; and string match -q -- "$argv[1] *" $line
  end
end
${lines.join('\n')}`
}

/** Quotes for fish, where a backslash escapes within single quotes. */
function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
