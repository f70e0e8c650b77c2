import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { ExchangeDetail, ExchangeView, ReplayBody } from '../../plugins/proxy/provides.ts'
import { flagValue } from '../args/parse.ts'
import { parseHeader, parseRequest, textOf } from '../args/request-text.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { requestLine } from '../output/request-table.ts'
import { print, printJson, printStderr } from '../output/terminal.ts'
import { jsonOf } from './requests.ts'
import { runForeground } from './run.ts'

/** `locald replay`: sends a recorded request again. Exits with 1 where there is no response, or nothing was sent. */
export async function replay(context: Context): Promise<number> {
  const { args, json, paths } = context
  const [id = ''] = args.positionals
  const daemon = await requireDaemon(paths)
  const path = `/v1/requests/${encodeURIComponent(id)}`
  const data = flagValue(args, 'data')
  const given: ReplayBody = {
    ...(args.values.has('header') ? { set: (args.values.get('header') ?? []).map(parseHeader) } : {}),
    ...(data === undefined ? {} : { body: data }),
  }
  let changes: ReplayBody = given
  if (args.flags.has('edit')) {
    const edited = await edit(await daemon.get<ExchangeDetail>(path, { reveal: true }), context)
    if (edited === undefined && Object.keys(given).length === 0) {
      printStderr('Nothing was changed, so nothing was sent.')
      printStderr(`Hint: Run \`locald replay ${id}\` to send the request as it was.`)
      return 1
    }
    changes = { ...edited, ...given }
  }
  const row = await daemon.post<ExchangeView>(`${path}/replay`, changes, null)
  if (json) printJson(jsonOf(row))
  else print(requestLine(row))
  return row.status === null ? 1 : 0
}

/** Opens the request in the caller's editor; returns what was changed, undefined: nothing. */
async function edit(detail: ExchangeDetail, { cwd }: Context): Promise<ReplayBody | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'locald-replay-'))
  const file = join(folder, 'request.http')
  try {
    const before = Buffer.from(textOf(detail))
    writeFileSync(file, before, { mode: 0o600 })
    reportHiddenBody(detail)
    const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi'
    const code = await runForeground(['sh', '-c', `${editor} "$1"`, 'sh', file], { dir: cwd, env: callerEnvironment() })
    if (code !== 0)
      throw new LocaldError('USAGE', `the editor exited with code ${code}: nothing was sent`, {
        hint: `Check VISUAL and EDITOR: the editor is \`${editor}\`.`,
      })
    const after = readFileSync(file)
    return after.equals(before) ? undefined : parseRequest(after, detail)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Says what is sent where the file shows no body though the request has one. */
function reportHiddenBody({ requestBody: { bytes, text, base64 } }: ExchangeDetail): void {
  if (bytes === 0 || text !== null) return
  if (base64 === null) printStderr(`The body of ${bytes} bytes cannot be shown: write one.`)
  else printStderr(`The body of ${bytes} bytes is binary: it is sent as it was, unless you write another.`)
}
