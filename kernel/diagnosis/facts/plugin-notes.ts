import { type Case, type Fact, likely, shellWord } from '../fact.ts'

/** Returns what plugins have found out about the service, such as that it uses a service of another worktree. */
export function pluginNotes({ service, plan }: Case): readonly Fact[] {
  const command = `locald env ${shellWord(plan.name)}`
  return service.state.notesOfPlugins.map(note => ({
    ...{ score: likely.changed, kind: 'note', text: `${plan.name} ${note}`, command, atMs: null },
  }))
}
