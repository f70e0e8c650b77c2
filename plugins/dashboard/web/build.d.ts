/** What the bundler puts in place of this name: the path of the shared worker's script. */
declare const STREAM_WORKER: string
