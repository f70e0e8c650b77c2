import type { Recipe } from '../recipe.ts'
import { bundlerRecipes } from './bundlers.ts'
import { fullStackRecipes } from './full-stack.ts'
import { inferredRecipes } from './inferred.ts'
import { newestRecipes } from './newest.ts'
import { nodeRecipes } from './node.ts'
import { otherRecipes } from './others.ts'
import { pythonRecipes } from './python.ts'
import { viteRecipes } from './vite.ts'
import { workspaceRecipes } from './workspaces.ts'

/** All small projects. */
export const recipes: readonly Recipe[] = [
  ...viteRecipes,
  ...bundlerRecipes,
  ...fullStackRecipes,
  ...newestRecipes,
  ...workspaceRecipes,
  ...nodeRecipes,
  ...pythonRecipes,
  ...otherRecipes,
  ...inferredRecipes,
]
