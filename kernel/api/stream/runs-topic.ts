import type { Topic } from '../../contract/plugin.ts'
import type { Kernel } from '../../kernel.ts'
import type { RunsAnswer } from '../../protocol.ts'

/** The topic `runs`: all commands on terminals when the client connects, and again after each change. */
export function runsTopic({ runs }: Pick<Kernel, 'runs'>): Topic {
  return {
    name: 'runs',
    open(client) {
      const push = () => client.push('', [{ runs: runs.list() } satisfies RunsAnswer])
      push()
      client.signal.addEventListener('abort', runs.onChanged(push))
    },
  }
}
