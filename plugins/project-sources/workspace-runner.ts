import type { Manifest } from './manifest.ts'

/** Programs that run scripts of several packages. */
const runners =
  /(?:^|[\s;&|"'/])(?:turbo|nx|lerna|concurrently|npm-run-all2?|run-[ps]|wireit|moon|wsrun|ultra|rush|mprocs)(?=[\s"']|$)/

/** Options and subcommands with which a package manager does. */
const delegations = [
  /\bnpm\s(?:.*\s)?(?:-w|-ws|--workspaces?|--prefix)\b/,
  /\bpnpm\s(?:.*\s)?(?:-r|--recursive|--filter|-F|--parallel|-C|--dir)\b/,
  /\byarn\s(?:.*\s)?(?:workspaces?|--cwd)\b/,
  /\bbun\s(?:.*\s)?(?:--filter|-F|--cwd|--workspaces)\b/,
  /(?:^|[\s;&|"'])cd\s+\S+/,
]

/** Returns whether a script of a workspace's root only runs those of its packages. */
export function isRunner(script: string): boolean {
  return runners.test(script) || delegations.some(pattern => pattern.test(script))
}

const selections = [
  /(?:--filter|-F|--workspace|-w|--scope|--projects|--cwd|--prefix|-C)[=\s]["']?([^\s"']+)/g,
  /\byarn\s+workspace\s+["']?([^\s"']+)/g,
  /\bnx\s+(?:run\s+|dev\s+|serve\s+|start\s+)["']?([^\s"':]+)/g,
  /\bcd\s+["']?([^\s"';&]+)/g,
]

/** Returns the packages that the root's script names, by name or folder; all where it names none of them. */
export function selectPackages(script: string, packages: readonly Manifest[]): readonly Manifest[] {
  const words = selections
    .flatMap(pattern => [...script.matchAll(pattern)])
    .map(([, word = '']) => word.replace(/^\.\//, '').replace(/\.\.\.$|\/$/g, ''))
  const named = packages.filter(({ name, dir }) => words.some(word => word === name || word === dir))
  return named.length === 0 ? packages : named
}
