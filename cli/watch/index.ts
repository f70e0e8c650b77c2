import type { KeysQuery, StatusAnswer } from '../../kernel/protocol.ts'
import { detectAgent } from '../agent.ts'
import type { Context } from '../context.ts'
import { findOrReviveDaemon } from '../daemon/client.ts'
import { exitWithReader } from '../output/reader.ts'
import { printStderr } from '../output/terminal.ts'
import { isForeground } from '../screen/foreground.ts'
import { ChangeLines } from './lines.ts'
import { WatchScreen } from './screen.ts'
import { StatusFeed } from './status-feed.ts'

/** What `locald status --watch` shows: `known` as in `Selection`. */
export interface WatchOptions {
  readonly query: Required<KeysQuery>
  readonly known: boolean
}

/** `locald status --watch`: a table on a terminal, else a line for each change, until it is interrupted. */
export async function watchStatus({ paths, json }: Context, options: WatchOptions): Promise<number> {
  const daemon = await findOrReviveDaemon(paths)
  // A wrong name is an error before the screen is drawn.
  await daemon?.get<StatusAnswer>('/v1/services', { ...options.query })
  const feed = new StatusFeed(paths, { ...options, json })
  const fullNames = options.query.all
  if (!json && isOnScreen()) await new WatchScreen(feed, { fullNames }).run(daemon)
  else {
    exitWithReader(paths)
    if (daemon === undefined) printStderr('Waiting for the daemon: nothing is running. Run `locald up` to start it.')
    const lines = new ChangeLines(feed, { fullNames, json })
    await feed.run(daemon, { changed: () => lines.print(), used: () => {} })
  }
  return 0
}

/** Whether there is a terminal to draw on, for a person; in the background it would be stopped. */
function isOnScreen(): boolean {
  const { stdin, stdout, env } = process
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb'
  return isTerminal && detectAgent() === undefined && isForeground()
}
