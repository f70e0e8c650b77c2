import type { ParseError, ParseOptions } from 'jsonc-parser'
import { faultIn, lineAt } from './fault.ts'

/** Parses a JSON file. Throws CONFIG_INVALID with the line, and without any of its words, which may be secrets. */
export async function parseJsonFile(file: string, text: string): Promise<unknown> {
  try {
    return JSON.parse(text)
  } catch {
    // It knows where the fault is; JSON.parse does not say it in each version of Node.
    await parseLoosely(file, text, { disallowComments: true })
    throw faultIn(file, 'is not valid JSON')
  }
}

/** Parses JSON with comments and trailing commas, likewise. */
export async function parseJsoncFile(file: string, text: string): Promise<unknown> {
  return parseLoosely(file, text, { allowTrailingComma: true })
}

async function parseLoosely(file: string, text: string, options: ParseOptions): Promise<unknown> {
  const { default: jsonc } = await import('jsonc-parser')
  const errors: ParseError[] = []
  let value: unknown
  try {
    value = jsonc.parse(text, errors, options)
  } catch {
    // It is nested so deeply that the stack is too small for it.
    throw faultIn(file, 'is not valid JSON')
  }
  const [error] = errors
  if (error !== undefined) throw faultIn(file, 'is not valid JSON', lineAt(text, error.offset))
  return value
}
