/** A wrong `locald.toml`, and all problems of it: `line key: message`. */
export interface WrongFile {
  readonly title: string
  readonly text: string
  readonly problems: readonly string[]
  /** Whether the JSON schema cannot express the mistake. */
  readonly isBeyondSchema?: true
}

export const head = '[project]\nname = "shop"\n'
export const web = `${head}[services.web]\ncommand = "x"\n`
export const times = 'must be a number of seconds, or a text such as "500ms", "30s" or "2m"'
export const label = "must be 1 to 63 lower-case letters, digits or '-', with no '-' at either end"
export const variable = "is not a variable's name: letters, digits and '_', not starting with a digit"
