/** A JSON value in which secrets are to be masked. */
export interface RedactBody {
  readonly value: unknown
}

export interface RedactAnswer {
  readonly value: unknown
}
