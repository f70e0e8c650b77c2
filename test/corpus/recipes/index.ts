import type { Recipe } from '../recipe.ts'
import { bundlerRecipes } from './bundlers.ts'
import { inferredRecipes } from './inferred.ts'
import { nodeRecipes } from './node.ts'
import { otherRecipes } from './others.ts'
import { pythonRecipes } from './python.ts'
import { viteRecipes } from './vite.ts'

/** All small projects. */
export const recipes: readonly Recipe[] = [
  ...viteRecipes,
  ...bundlerRecipes,
  ...nodeRecipes,
  ...pythonRecipes,
  ...otherRecipes,
  ...inferredRecipes,
]
