/** Yields the lines that each piece of a body completes, without line feeds. */
export async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let open: Buffer[] = []
  for await (const piece of body) {
    const end = piece.lastIndexOf(10)
    if (end < 0) {
      open.push(piece)
      continue
    }
    const lines = Buffer.concat([...open, piece.subarray(0, end)]).toString('utf8')
    open = [piece.subarray(end + 1)]
    yield lines.split('\n')
  }
}

/** Yields the values of NDJSON that each piece of a body completes. */
export async function* valuesOf<T>(body: AsyncIterable<Buffer>): AsyncGenerator<readonly T[]> {
  for await (const lines of linesOf(body)) {
    const values: T[] = []
    for (const line of lines) if (line !== '') values.push(JSON.parse(line))
    yield values
  }
}
