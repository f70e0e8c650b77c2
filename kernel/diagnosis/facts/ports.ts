import { type Case, type Fact, likely, shellWord } from '../fact.ts'

/** Finds who uses the port that the service could not listen on. */
export async function portFacts(it: Case): Promise<readonly Fact[]> {
  const { evidence, holder, services, service, table } = it
  const { port } = evidence
  if (port === undefined) return []
  const isOwn = (other: typeof service) => other.supervisor.plan?.port === port && other.supervisor.active
  const other = services.find(each => each !== service && isOwn(each))
  if (other !== undefined) {
    const command = `locald stop ${shellWord(other.ref.key)}`
    return [fact(likely.proven, `port ${port} is in use by the service ${other.ref.key}`, command)]
  }
  const who = await holder(port)
  if (who === undefined) {
    const command = `locald restart ${shellWord(it.plan.name)}`
    return [fact(likely.reported, `port ${port} was in use, and is free now`, command)]
  }
  const pid = /\(pid (\d+)\)/.exec(who)?.[1]
  const isMine = (await table?.owns(port).catch(() => false)) === true
  const command = pid === undefined ? null : isMine ? `kill ${pid}` : `ps -fp ${pid}`
  return [fact(likely.proven, `port ${port} is in use by ${who}`, command)]
}

function fact(score: number, text: string, command: string | null): Fact {
  return { score, kind: 'port', text, command, atMs: null }
}
