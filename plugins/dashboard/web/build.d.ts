/** What the bundler puts in place of this name: the path of the shared worker's script. */
declare const STREAM_WORKER: string

/** The same of the worker that runs the expressions of a search of logs. */
declare const REGEX_WORKER: string
