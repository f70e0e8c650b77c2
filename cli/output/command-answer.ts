import type { CommandAnswer } from '../../kernel/protocol.ts'
import { table } from './table.ts'
import { painter, print, printJson, printStderr } from './terminal.ts'

/** Prints what a plugin's command answered; the result is its exit code. The text of one that failed goes to stderr. */
export function printAnswer({ exitCode, text, table: rows, data, terminal }: CommandAnswer, isJson: boolean): number {
  if (terminal !== undefined && text === '') return exitCode
  if (isJson) {
    printJson(data ?? (rows === undefined ? { text } : toObjects(rows)))
    return exitCode
  }
  if (text !== '' || rows === undefined) {
    if (exitCode === 0) print(text.replace(/\n$/, ''))
    else printStderr(text.replace(/\n$/, ''))
  }
  if (rows !== undefined) {
    const cells = rows.rows.map(row => ({ cells: row.map(value => ({ text: value === null ? '-' : String(value) })) }))
    print(
      table(
        rows.columns.map(title => title.toUpperCase()),
        cells,
        painter(process.stdout),
      ),
    )
  }
  return exitCode
}

type CommandTable = NonNullable<CommandAnswer['table']>

function toObjects({ columns, rows }: CommandTable): readonly object[] {
  return rows.map(row => Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])))
}
