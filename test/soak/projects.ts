import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from '../lib/sandbox.ts'

/** Lines a second of each printer. */
const rate = 50
/** Printed at once on SIGUSR2. */
const burst = 5000

/**
 * Prints `ID NUMBER` lines; the id begins with its pid, which another process may get later. How many were written is
 * in a file, so that one that is killed is known to have written them.
 */
const printer = `
  import { writeFileSync, writeSync } from 'node:fs'
  const began = performance.now()
  const id = process.pid + '-' + Math.random().toString(36).slice(2)
  let count = 0
  let extra = 0
  process.on('SIGUSR2', () => { extra += ${burst} })
  function print(due) {
    for (let text = ''; count < due; text = '') {
      for (const end = Math.min(due, count + 100); count < end; count++) text += id + ' ' + count + '\\n'
      for (let at = 0; at < text.length; ) {
        try {
          at += writeSync(1, text.slice(at))
        } catch (error) {
          if (error.code !== 'EAGAIN') throw error
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
        }
      }
    }
    writeFileSync(process.argv[2] + '/' + id, String(count))
  }
  setInterval(() => print(Math.floor((performance.now() - began) / 1000 * ${rate}) + extra), 50)
`

/** Answers with the length of what it was sent, after a moment. */
const web = `
  import { createServer } from 'node:http'
  createServer((request, response) => {
    let length = 0
    request.on('data', bytes => { length += bytes.length })
    request.on('end', () => setTimeout(() => response.end(String(length)), 5))
  }).listen(Number(process.env.PORT), '127.0.0.1')
`

/** A project of the soak: a web service, and two that print, on a terminal and into a pipe. */
export class SoakProject {
  readonly name: string
  readonly folder: string
  readonly #box: Sandbox
  readonly #counts: string
  #edits = 0

  constructor(box: Sandbox, name: string) {
    this.#box = box
    this.name = name
    this.#counts = box.project(`counts-${name}`, { readme: '' })
    this.folder = box.project(name, {})
    this.lay()
  }

  get host(): string {
    return `${this.name}.localhost`
  }

  /** Writes all its files. */
  lay(): void {
    this.#box.write(join(this.folder, 'printer.mjs'), printer)
    this.#box.write(join(this.folder, 'web.mjs'), web)
    this.#box.write(join(this.folder, 'locald.toml'), this.#toml())
  }

  /** Changes the environment of the web service, which starts it again. */
  edit(): void {
    this.#edits++
    this.#box.write(join(this.folder, 'locald.toml'), this.#toml())
  }

  /** How many lines each printer has written at least, by its id. */
  written(): ReadonlyMap<string, number> {
    const ids = readdirSync(this.#counts).filter(name => /^\d/.test(name))
    return new Map(ids.map(id => [id, Number(readFileSync(join(this.#counts, id), 'utf8'))]))
  }

  #toml(): string {
    const print = `exec ${process.execPath} printer.mjs ${this.#counts}`
    return `
      [project]
      name = "${this.name}"
      [services.web]
      command = "exec ${process.execPath} web.mjs"
      env = { EDIT = "${this.#edits}" }
      watch = ["web.mjs"]
      [services.term]
      type = "worker"
      command = "${print}"
      [services.pipe]
      type = "worker"
      command = "${print}"
      tty = false
    `
  }
}
