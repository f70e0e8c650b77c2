import type { Plugin, ProjectDetector } from '../../kernel/contract/plugin.ts'
import { bun } from './bun.ts'
import { cargo } from './cargo.ts'
import { composeFile, withCompose } from './compose/detector.ts'
import { deno } from './deno.ts'
import { django } from './django.ts'
import { dotnet } from './dotnet.ts'
import { phoenix } from './elixir.ts'
import { fastapi } from './fastapi.ts'
import { flask } from './flask.ts'
import { go } from './go.ts'
import { gradle, maven } from './java.ts'
import { nodeProgram } from './node-entry.ts'
import { dockerfile, otherLanguage, pythonProgram } from './other-files.ts'
import { packageJson } from './package-json.ts'
import { parts } from './parts.ts'
import { laravel, php } from './php.ts'
import { procfile } from './procfile.ts'
import { pythonServer } from './python-programs.ts'
import { jekyll, rack, rails } from './ruby.ts'
import { site } from './site.ts'
import { hugo, mkdocs } from './site-generators.ts'
import { streamlit } from './streamlit.ts'
import { otherTasks, scriptFile, tasks } from './task-runners.ts'
import { workspaces } from './workspaces.ts'

/**
 * All that a project without a `locald.toml` is read from, the surest first: what names processes, then frameworks whose
 * package.json is for their front end only, then package.json, then other languages.
 */
const detectors: readonly ProjectDetector[] = [
  ...[procfile('Procfile.dev'), procfile('Procfile')],
  ...[django, rails, laravel, phoenix, maven, gradle, dotnet],
  ...[workspaces, packageJson],
  ...[deno, bun, fastapi, flask, streamlit, pythonServer, rack, php, go, cargo, hugo, mkdocs, jekyll],
]

/** What describes a project less surely than its own files. */
const others: readonly ProjectDetector[] = [
  ...[scriptFile, ...tasks, nodeProgram, parts([...detectors, nodeProgram])],
  ...[site, composeFile, pythonProgram, ...otherTasks, dockerfile, otherLanguage],
]

/** Returns the detectors; `hasEngine` says whether containers can run, which a compose file beside another source needs. */
export function detectorsWith(hasEngine: () => boolean): readonly ProjectDetector[] {
  return [...detectors, ...others].map(detector => withCompose(detector, hasEngine))
}

/** Projects without a `locald.toml`. */
const plugin: Plugin = {
  name: 'project-sources',
  api: 1,
  after: ['exec-runtime', 'container'],
  setup(host) {
    for (const detector of detectorsWith(() => host.has('containers'))) host.source(detector)
  },
}

export default plugin
