import type { ArgumentValue, CommandArgument } from '../../contract/plugin.ts'

/** Linux passes no word over 128 KiB (execve(2), MAX_ARG_STRLEN); some is left for other systems. */
const mostBytes = 100_000

/** The value of an argument as a command gets it, or what is wrong with it, as the rest of a sentence. */
export type ValueText = { readonly text: string } | { readonly fault: string }

/**
 * Formats a value of an argument, once it is of its type. A text stands for a number, or for true or false: the flags of
 * a command line have nothing else.
 */
export function formatValue(argument: CommandArgument, value: ArgumentValue): ValueText {
  const { type, values = [] } = argument
  const text = String(value)
  if (type === 'string') return typeof value === 'string' ? checkText(text) : { fault: 'must be a text' }
  if (type === 'enum') return values.includes(text) ? { text } : { fault: `must be one of ${values.join(', ')}` }
  if (type === 'boolean') return text === 'true' || text === 'false' ? { text } : { fault: 'must be true or false' }
  const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (type === 'integer')
    return Number.isSafeInteger(number) ? { text: `${number}` } : { fault: 'must be a whole number' }
  return Number.isFinite(number) ? { text: `${number}` } : { fault: 'must be a number' }
}

function checkText(text: string): ValueText {
  if (text.includes('\0')) return { fault: 'has a NUL character, which no command line can hold' }
  return Buffer.byteLength(text) <= mostBytes ? { text } : { fault: `is longer than ${mostBytes} bytes` }
}
