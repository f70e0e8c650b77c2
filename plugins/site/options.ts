import { type ShapeOf, shape } from '../../kernel/contract/shape.ts'

/** The options of `type = "site"`. */
export const options = shape({
  type: 'object',
  properties: {
    path: {
      type: 'string',
      minLength: 1,
      default: '.',
      description: 'The folder with the files, relative to `workdir`.',
    },
    build: {
      type: 'string',
      minLength: 1,
      pattern: '\\S',
      description: 'Shell command (sh -c) that writes that folder: runs first, and again after changes.',
    },
    spa: {
      type: 'boolean',
      default: false,
      description: 'true: paths without a file are answered with index.html, for an app that routes in the browser.',
    },
    reload: {
      type: 'boolean',
      default: true,
      description: 'Reload open pages when files change (default).',
    },
  },
  additionalProperties: false,
})

export type SiteOptions = ShapeOf<typeof options>
