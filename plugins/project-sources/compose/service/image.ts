import { relative } from 'node:path'
import type { TomlValue, TranslatedEntry } from '../../../../kernel/contract/plugin.ts'
import { isRemote } from '../canonical.ts'
import { entriesOf, entryOf, type Mapping, textOf } from '../node.ts'
import { type ComposeProject, pathFrom } from '../project.ts'
import type { KeyReader } from '../reader.ts'

/** What a build may need in order to succeed. */
const needed = ['additional_contexts', 'dockerfile_inline', 'secrets', 'ssh', 'entitlements', 'privileged']

/** Translates `image`, `build` and `pull_policy`. */
export function translateImage(service: KeyReader, project: ComposeProject): readonly TranslatedEntry[] {
  const image = service.text('image')
  const build = service.inside('build') ?? builderOf(service, project, image)
  const pull = translatePull(service)
  if (build !== undefined) {
    const table = translateBuild(build, project)
    return table === undefined ? [] : [{ key: 'build', value: table }]
  }
  if (image === undefined) {
    // An image with a fault is noted already.
    const isMissing = service.take('image') === undefined && service.take('build') === undefined
    return (isMissing && service.note('refused', 'image', 'is missing, and so is build')) || []
  }
  if (!/^\S+$/.test(image)) return service.note('refused', 'image', 'is no name of an image') ?? []
  return [{ key: 'image', value: image }, ...(pull === undefined ? [] : [{ key: 'pull', value: pull }])]
}

/** Returns the build of another service that makes this image: locald's builds have no names that services share. */
function builderOf(service: KeyReader, project: ComposeProject, image: string | undefined): KeyReader | undefined {
  if (image === undefined) return undefined
  const services = entriesOf(entryOf(project.model, 'services'))
  const builder = services.find(
    ([, node]) => textOf(entryOf(node, 'image')) === image && entryOf(node, 'build') !== undefined,
  )
  const build = entryOf(builder?.[1], 'build')
  return build === undefined ? undefined : service.below(build, 'build')
}

function translateBuild(build: KeyReader, project: ComposeProject): TomlValue | undefined {
  const context = build.text('context') ?? project.folder
  if (isRemote(context)) return build.note('refused', 'context', 'is on another machine: locald builds from a folder')
  const dockerfile = build.text('dockerfile')
  const target = build.text('target')
  const args = entriesOf(build.take('args')).flatMap(([name, node]) => {
    if (node.kind !== 'scalar') return build.note('refused', `args.${name}`, 'must be a text', node.at) ?? []
    const value = node.isNull ? project.scope(name) : build.textOf(node, `args.${name}`)
    if (node.isNull) build.note('changed', `args.${name}`, `has the present value of \${${name}}`, node.at)
    return value === undefined ? [] : [[name, value] as const]
  })
  for (const [key, node] of build.rest) {
    if (needed.includes(key)) build.note('refused', key, 'locald cannot build with it', node.at)
    else build.note('dropped', key, 'locald builds without it', node.at)
  }
  return {
    context: pathFrom(project.root, context),
    ...(dockerfile === undefined || dockerfile === 'Dockerfile'
      ? {}
      : { dockerfile: withinContext(context, dockerfile) }),
    ...(target === undefined ? {} : { target }),
    ...(args.length === 0 ? {} : { args: Object.fromEntries(args) }),
  }
}

/** A Dockerfile's path is relative to the context, in compose as in locald. */
function withinContext(context: string, dockerfile: string): string {
  return dockerfile.startsWith('/') ? relative(context, dockerfile) : dockerfile
}

function translatePull(service: KeyReader): string | undefined {
  const policy = service.text('pull_policy')
  if (policy === undefined || ['missing', 'if_not_present'].includes(policy)) return undefined
  if (policy === 'always' || policy === 'never') return policy
  return service.note('dropped', 'pull_policy', `locald has no '${policy}': it pulls a missing image`)
}

/** Returns a service's build context and Dockerfile, absolute; undefined where there is none of this machine. */
export function buildFilesOf(service: Mapping): { readonly context: string; readonly dockerfile: string } | undefined {
  const context = textOf(entryOf(service, 'build', 'context'))
  if (context === undefined || isRemote(context)) return undefined
  return { context, dockerfile: textOf(entryOf(service, 'build', 'dockerfile')) ?? 'Dockerfile' }
}
