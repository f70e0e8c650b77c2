import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { ExchangeDetail, ExchangeView, ReplayBody } from '../../plugins/proxy/provides.ts'
import { flagValue } from '../args/parse.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { requestLine } from '../output/request-table.ts'
import { print, printJson } from '../output/terminal.ts'
import { jsonOf } from './requests.ts'
import { runForeground } from './run.ts'

/** `locald replay`: sends a recorded request again. Exits with 1 where there is no response. */
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
  const body = args.flags.has('edit')
    ? { ...(await edit(await daemon.get<ExchangeDetail>(path, { reveal: true }), context)), ...given }
    : given
  const row = await daemon.post<ExchangeView>(`${path}/replay`, body, null)
  if (json) printJson(jsonOf(row))
  else print(requestLine(row))
  return row.status === null ? 1 : 0
}

function parseHeader(text: string): { readonly name: string; readonly value: string } {
  const [, name, value = ''] = /^([^:\s]+):[ \t]*(.*)$/.exec(text) ?? []
  if (name !== undefined) return { name, value }
  throw new LocaldError('USAGE', `-H '${text}' is not a header`, { hint: "Use for example -H 'Accept: text/html'." })
}

/** Opens the request in the caller's editor; returns what was changed. */
async function edit(detail: ExchangeDetail, { cwd }: Context): Promise<ReplayBody> {
  const folder = mkdtempSync(join(tmpdir(), 'locald-replay-'))
  const file = join(folder, 'request.http')
  try {
    const before = textOf(detail)
    writeFileSync(file, before, { mode: 0o600 })
    const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi'
    const code = await runForeground(['sh', '-c', `${editor} "$1"`, 'sh', file], { dir: cwd, env: callerEnvironment() })
    if (code !== 0) throw new LocaldError('USAGE', `the editor exited with code ${code}: nothing was sent`)
    const after = readFileSync(file, 'utf8')
    return after === before ? {} : parseRequest(after, detail)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function textOf({ method, path, requestHeaders, requestBody }: ExchangeDetail): string {
  const headers = requestHeaders.map(({ name, value }) => `${name}: ${value}\n`).join('')
  return `${method} ${path}\n${headers}\n${requestBody.text ?? ''}`
}

function parseRequest(text: string, { requestBody }: ExchangeDetail): ReplayBody {
  const end = text.indexOf('\n\n')
  const [first = '', ...lines] = (end < 0 ? text.trimEnd() : text.slice(0, end)).split('\n')
  const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(first.trim()) ?? []
  if (method === undefined || path === undefined)
    throw new LocaldError('USAGE', `'${first}' is not a method and a path`, {
      hint: 'Use a first line such as POST /.',
    })
  const body = end < 0 ? '' : text.slice(end + 2)
  const isSame = body === (requestBody.text ?? '')
  // Editors end a file with a newline.
  const sent = requestBody.text?.endsWith('\n') === true ? body : body.replace(/\n$/, '')
  return {
    method,
    path,
    headers: lines.map(parseHeader),
    ...(isSame || sent === requestBody.text ? {} : { body: sent }),
  }
}
