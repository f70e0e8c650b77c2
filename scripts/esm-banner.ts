/** The first line of a bundle in ES modules: the CommonJS packages in it call `require`. */
export const esmBanner = {
  js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
} as const
