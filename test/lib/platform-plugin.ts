/** Sets up a platform plugin without a kernel, and collects what it declares. */
import type { Test } from 'tap'
import type {
  Check,
  FeatureName,
  FeatureState,
  Host,
  PlatformFacts,
  Plugin,
  Services,
} from '../../kernel/contract/plugin.ts'
import { platformFeatures } from '../../plugins/lib/features.ts'
import { fakeHost } from './fake-host.ts'

/** What the plugin has declared. */
export interface PlatformParts {
  readonly features: ReadonlyMap<FeatureName, FeatureState>
  readonly checks: readonly Check[]
  readonly provided: Partial<Services>
  readonly open: Parameters<Host['opener']>[0] | undefined
}

/** Sets it up, and checks what holds on every platform: all features, no two checks of a name. */
export async function setUpPlatform(t: Test, plugin: Plugin, platform: PlatformFacts): Promise<PlatformParts> {
  const features = new Map<FeatureName, FeatureState>()
  const checks: Check[] = []
  const provided: Partial<Services> = {}
  const use: Services = Object.create(null)
  const nothing = () => t.fail('not for a platform plugin')
  let open: Parameters<Host['opener']>[0] | undefined
  await plugin.setup(
    fakeHost({
      platform,
      log: { info: nothing, warn: nothing, error: nothing },
      service: nothing,
      feature: (name, state) => features.set(name, typeof state === 'function' ? state() : state),
      has: name => features.get(name)?.on === true,
      check: check => checks.push(check),
      command: nothing,
      routes: nothing,
      opener: given => {
        open = given
      },
      provide: (name, make) => Object.assign(provided, { [name]: make(use) }),
    }),
  )
  t.same([...features.keys()], platformFeatures)
  for (const [name, state] of features) t.ok(state.on || (state.reason && state.hint), name)
  t.equal(new Set(checks.map(({ id }) => id)).size, checks.length)
  return { features, checks, provided, open }
}
