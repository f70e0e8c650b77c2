import { LocaldError } from '../../../kernel/errors.ts'
import type { Engine } from '../provides.ts'
import { isShortName } from './short-name.ts'

/** What engines say when a pull fails, and what it means. */
const causes: readonly {
  readonly says: RegExp
  readonly explain: (image: string, engine: string) => { readonly why: string; readonly hint: string }
}[] = [
  {
    says: /unauthorized|authentication required|denied|no basic auth|403|401/i,
    explain: (image, engine) => ({
      why: 'the registry denies access, or has no such repository',
      hint: `Check the name, or run \`${engine} login ${registryOf(image)}\`.`,
    }),
  },
  {
    says: /manifest unknown|not found|does not exist|name unknown|no such image|image not known/i,
    explain: image => ({
      why: `the registry has no ${tagOf(image)} of it`,
      hint: 'Check the name and the tag of `image`.',
    }),
  },
  {
    says: /no space left|disk quota/i,
    explain: (_, engine) => ({ why: 'the disk is full', hint: `Free space, such as with \`${engine} image prune\`.` }),
  },
  {
    says: /connection refused|no such host|i\/o timeout|network is unreachable|dial tcp|TLS handshake timeout|lookup /i,
    explain: image => ({
      why: `the registry ${registryOf(image)} cannot be reached`,
      hint: 'Check the network and the proxy variables, then start the service again.',
    }),
  },
  {
    says: /server gave HTTP response to HTTPS client|x509|certificate/i,
    explain: image => ({
      why: `the registry ${registryOf(image)} has no certificate that the engine trusts`,
      hint: "Add it to the engine's insecure registries, or give the engine its certificate.",
    }),
  },
  {
    says: /unexpected EOF|connection reset|broken pipe|digest/i,
    explain: () => ({
      why: 'the registry broke the transfer off',
      hint: 'Start the service again; what was transferred is kept.',
    }),
  },
]

/** Returns the error of a pull, with what the engine said at the end. */
export function pullError(engine: Engine, image: string, said: string): LocaldError {
  const { why, hint } = causes.find(({ says }) => says.test(said))?.explain(image, engine.name) ?? {
    why: 'the engine failed',
    hint: `Run \`${engine.name} pull ${image}\` to see all of its output.`,
  }
  return new LocaldError('IMAGE_FAILED', `image ${image} could not be pulled: ${why} (${said})`, { hint })
}

/** Returns the registry of an image, as engines find it: the first part, if it looks like a host. */
export function registryOf(image: string): string {
  return isShortName(image) ? 'docker.io' : (image.split('/')[0] ?? '')
}

function tagOf(image: string): string {
  const [, digest] = image.split('@')
  if (digest !== undefined) return `digest ${digest}`
  const last = image.split('/').at(-1) ?? ''
  return `tag '${last.includes(':') ? last.slice(last.indexOf(':') + 1) : 'latest'}'`
}
