import type { Recipe } from '../recipe.ts'

const edit = (file: string) => ({ file, from: 'before the change', to: 'after the change' })

/** Projects in other languages. */
export const otherRecipes: readonly Recipe[] = [
  {
    name: 'hugo-procfile',
    files: {
      Procfile: 'web: hugo server\n',
      'config.toml': 'title = "corpus"\ndisableKinds = ["taxonomy", "term", "RSS"]\n',
      'layouts/index.html': '<!doctype html><html><head></head><body><h1>before the change</h1></body></html>',
    },
    answers: { '': 'before the change' },
    edit: edit('layouts/index.html'),
  },
  {
    name: 'php-procfile',
    files: { Procfile: 'web: php -S 127.0.0.1:$PORT\n', 'index.php': "<?php echo 'php', ' answers';\n" },
    answers: { '': 'php answers' },
  },
  {
    name: 'php-hard-port-procfile',
    files: { Procfile: 'web: php -S localhost:18733\n', 'index.php': "<?php echo 'php', ' answers';\n" },
    answers: { '': 'php answers' },
  },
]
