/** The files of projects that steps start. */

type Files = Readonly<Record<string, string>>

/** A service `web` that answers `hi`. `keys`: more lines of it. */
export function webProject(name: string, keys = ''): Files {
  return {
    'locald.toml': `[project]\nname = "${name}"\n[services.web]\ncommand = "exec ${process.execPath} web.cjs"\n${keys}\n`,
    'web.cjs': 'require("http").createServer((_, to) => to.end("hi")).listen(process.env.PORT, "127.0.0.1")',
  }
}

/** A worker `job` that does nothing. `keys`: more lines of it. */
export function workerProject(name: string, keys = ''): Files {
  return {
    'locald.toml': `[project]\nname = "${name}"\n[services.job]\ntype = "worker"\ncommand = "exec sleep 1000"\n${keys}\n`,
  }
}
