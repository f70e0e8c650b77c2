import { type ReadonlySignal, useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { ApiError, get } from '../api.ts'

/** The answer of a route, as far as it is known. */
export interface Answer<T> {
  /** The last answer; a failure keeps it. */
  readonly value: T | undefined
  /** Why the last request failed. */
  readonly error: ApiError | undefined
}

/** Changes that come together ask once, ms. */
const togetherMs = 150

/**
 * Follows the answer of `GET /v1…`: asks at first, and again when an input has changed. The present answer stays until
 * there is another.
 */
export function useAnswer<T>(
  path: string,
  query: Readonly<Record<string, string | number | boolean>>,
  inputs: readonly unknown[] = [],
): { readonly answer: ReadonlySignal<Answer<T>>; reload(): void } {
  const answer = useSignal<Answer<T>>({ value: undefined, error: undefined })
  const round = useSignal(0)
  const words = JSON.stringify(query)
  const isFirst = useMemo(() => ({ of: '' }), [])
  useEffect(() => {
    const aborted = new AbortController()
    const ask = () =>
      get<T>(path, query, aborted.signal).then(
        value => {
          answer.value = { value, error: undefined }
        },
        (error: unknown) => {
          if (aborted.signal.aborted) return
          const known = error instanceof ApiError ? error : new ApiError(String(error), 'INTERNAL', 0)
          answer.value = { value: answer.peek().value, error: known }
        },
      )
    const isNew = isFirst.of !== words
    if (isNew) answer.value = { value: undefined, error: undefined }
    isFirst.of = words
    const timer = setTimeout(ask, isNew ? 0 : togetherMs)
    return () => {
      clearTimeout(timer)
      aborted.abort()
    }
  }, [path, words, round.value, ...inputs])
  return { answer, reload: () => (round.value += 1) }
}
