/** What decides on which package is the main one. */
export interface Candidate {
  readonly label: string
  readonly dependencies: ReadonlySet<string>
}

const mainNames = ['web', 'app', 'frontend', 'site', 'www', 'client']

/** Packages with which a front end is made. */
const frontEnds = [
  ...['next', 'nuxt', 'astro', 'vite', 'gatsby', 'parcel', 'react-scripts', 'webpack-dev-server'],
  ...['@angular/core', '@sveltejs/kit', '@remix-run/dev', '@react-router/dev', '@vue/cli-service', '@rsbuild/core'],
  ...['@solidjs/start', '@tanstack/react-start', '@docusaurus/core', 'ember-cli', 'vinxi'],
]

/** Names of front ends that stand beside the main one. */
const besides = /^(?:docs?|documentation|storybook|admin|e2e|tests?|examples?|demo|playground|mobile|native|desktop)\b/

/**
 * Returns the package that has the project's domain: the one with the name of a main package or of the project, else the
 * only one with a front-end framework, documentation and the like aside, else the only one.
 */
export function chooseMain<T extends Candidate>(candidates: readonly T[], project: string): T | undefined {
  for (const name of [...mainNames, project]) {
    const named = candidates.find(({ label }) => label === name)
    if (named !== undefined) return named
  }
  const inFront = candidates.filter(({ dependencies }) => frontEnds.some(name => dependencies.has(name)))
  const principal = inFront.filter(({ label }) => !besides.test(label))
  return onlyOne(inFront) ?? onlyOne(principal) ?? onlyOne(candidates)
}

function onlyOne<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined
}
