import type { Hint } from './panes/bars.ts'

/** What keys do. */
export interface Controls {
  moveUp(): void
  moveDown(): void
  pageUp(): void
  pageDown(): void
  goToStart(): void
  goToEnd(): void
  follow(): void
  switchPane(): void
  zoom(): void
  goBack(): void
  search(): void
  filter(): void
  findOlder(): void
  findNewer(): void
  toggleAll(): void
  restart(): void
  startOrStop(): void
  openUrl(): void
  explain(): void
  showRequests(): void
  copyLines(): void
  copyUrl(): void
  help(): void
  suspend(): void
  quit(): void
}

/** What keys do with requests. */
export interface RequestKeys {
  selectNewer(): void
  selectOlder(): void
  pageNewer(): void
  pageOlder(): void
  selectOldest(): void
  selectNewest(): void
  show(): void
  replay(): void
  copyCurl(): void
  copyUrl(): void
  filter(): void
  toggleAll(): void
  ignore(): void
}

/** Keys that do one thing. */
interface Binding<Run> {
  readonly keys: readonly string[]
  /** How help and the last line write them. */
  readonly label: string
  readonly about: string
  /** The word in the last line, for what is needed most. */
  readonly word?: string
  readonly run: Run
}

/** All keys, in the order of the help. */
const bindings: readonly Binding<keyof Controls>[] = [
  { keys: ['j', 'down'], label: 'j ↓', about: 'Select the next service, or move the log', run: 'moveDown' },
  { keys: ['k', 'up'], label: 'k ↑', about: 'Select the previous one, or move the log', run: 'moveUp' },
  {
    keys: ['g', 'home'],
    label: 'g Home',
    about: 'Select the first service, or show the oldest line',
    run: 'goToStart',
  },
  { keys: ['G', 'end'], label: 'G End', about: 'Select the last service, or follow the log', run: 'goToEnd' },
  { keys: ['pageUp', 'ctrl-b'], label: 'PgUp', about: 'Move the log up, which stops following', run: 'pageUp' },
  { keys: ['pageDown', 'ctrl-f', ' '], label: 'PgDn Space', about: 'Move the log down', run: 'pageDown' },
  { keys: ['f'], label: 'f', about: 'Follow the log', run: 'follow' },
  {
    keys: ['tab', 'shift-tab', 'left', 'right'],
    label: 'Tab',
    about: 'Switch between list and log',
    run: 'switchPane',
  },
  { keys: ['enter', 'z'], label: 'Enter', about: 'Show the log alone, or list and log', run: 'zoom' },
  { keys: ['a'], label: 'a', about: 'Show all logs, or that of the selected', run: 'toggleAll' },
  { keys: ['r'], label: 'r', word: 'restart', about: 'Restart the selected service or project', run: 'restart' },
  { keys: ['s'], label: 's', word: 'start/stop', about: 'Stop it, or start it', run: 'startOrStop' },
  { keys: ['i'], label: 'i', word: 'requests', about: 'Show requests, or the log again', run: 'showRequests' },
  { keys: ['o'], label: 'o', word: 'open', about: 'Open its URL in the browser', run: 'openUrl' },
  { keys: ['w'], label: 'w', word: 'why', about: 'Explain its state', run: 'explain' },
  { keys: ['/'], label: '/', word: 'search', about: 'Search the log, then older lines', run: 'search' },
  { keys: ['n'], label: 'n', about: 'Show the next older line with the text', run: 'findOlder' },
  { keys: ['N'], label: 'N', about: 'Show the next newer one', run: 'findNewer' },
  { keys: ['&'], label: '&', about: 'Show only lines with the text, or all', run: 'filter' },
  { keys: ['y'], label: 'y', about: 'Copy the found line, or the last 50 lines', run: 'copyLines' },
  { keys: ['Y'], label: 'Y', about: 'Copy the URL', run: 'copyUrl' },
  { keys: ['escape'], label: 'Esc', about: 'Close, clear the search, return to the list', run: 'goBack' },
  { keys: ['?', 'h'], label: '?', word: 'help', about: 'Show the keys', run: 'help' },
  { keys: ['ctrl-z'], label: 'Ctrl-Z', about: 'Stop the monitor until `fg`', run: 'suspend' },
  { keys: ['q', 'ctrl-c'], label: 'q', word: 'quit', about: 'Close the monitor; services keep running', run: 'quit' },
]

/** Keys that do something else in the requests, and in the page of one. */
const requestBindings: readonly Binding<keyof RequestKeys>[] = [
  { keys: ['enter'], label: 'Enter', word: 'show', about: 'Show the request with its bodies', run: 'show' },
  { keys: ['r'], label: 'r', word: 'replay', about: 'Send it again, and select the new one', run: 'replay' },
  { keys: ['y'], label: 'y', word: 'copy as curl', about: 'Copy it as curl, secrets masked', run: 'copyCurl' },
  { keys: ['Y'], label: 'Y', about: 'Copy its URL', run: 'copyUrl' },
  { keys: ['/'], label: '/', word: 'filter', about: 'Filter: `5xx post path:/api -health`', run: 'filter' },
  { keys: ['a'], label: 'a', word: 'all', about: 'Show those of all services, or of the selected', run: 'toggleAll' },
]
/** The same in the list of requests alone: a page scrolls. */
const requestMoves: readonly (readonly [readonly string[], keyof RequestKeys])[] = [
  [['j', 'down'], 'selectNewer'],
  [['k', 'up'], 'selectOlder'],
  [['pageDown', 'ctrl-f', ' '], 'pageNewer'],
  [['pageUp', 'ctrl-b'], 'pageOlder'],
  [['g', 'home'], 'selectOldest'],
  [['G', 'end', 'f'], 'selectNewest'],
  [['n', 'N', '&'], 'ignore'],
]

const byKey = new Map(bindings.flatMap(({ keys, run }) => keys.map(key => [key, run] as const)))
const requestByKey = new Map(requestBindings.flatMap(({ keys, run }) => keys.map(key => [key, run] as const)))
const moveByKey = new Map(requestMoves.flatMap(([keys, run]) => keys.map(key => [key, run] as const)))

/** Returns what a key does; undefined: nothing. */
export function actionOf(key: string): keyof Controls | undefined {
  return byKey.get(key)
}

/** Returns what a key does with a request that is selected in their list, or shown; undefined: what it does elsewhere. */
export function requestActionOf(key: string, isShown: boolean): keyof RequestKeys | undefined {
  return requestByKey.get(key) ?? (isShown ? undefined : moveByKey.get(key))
}

function hintsOf(...lists: readonly (readonly Omit<Binding<string>, 'run'>[])[]): readonly Hint[] {
  return lists.flat().flatMap(({ label, word }) => (word === undefined ? [] : [{ key: label, about: word }]))
}

const help = bindings.filter(({ run }) => run === 'help')
/** The keys of the last line; the help comes last. */
export const hints = hintsOf(
  bindings.filter(({ run }) => run !== 'help'),
  help,
)
/** The same where keys are for requests. */
export const requestHints = hintsOf(
  requestBindings,
  bindings.filter(({ run }) => run === 'showRequests').map(binding => ({ ...binding, word: 'log' })),
  help,
)
/** The same where a request is shown. */
export const requestPageHints = hintsOf(
  requestBindings.filter(({ run }) => run === 'replay' || run === 'copyCurl'),
  bindings.filter(({ run }) => run === 'goBack').map(binding => ({ ...binding, word: 'close' })),
  help,
)

/** The lines of the help: keys and what they do. */
export const helpLines: readonly Hint[] = bindings.map(({ label, about }) => ({ key: label, about }))
/** The same in the requests, where they differ. */
export const requestHelpLines: readonly Hint[] = requestBindings.map(({ label, about }) => ({ key: label, about }))
