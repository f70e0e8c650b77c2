import t from 'tap'
import { addClientVariables } from '../../../plugins/postgres/client-env.ts'
import './shared-server.ts'

t.test('the environment of dependents', async t => {
  const project = { name: 'shop', path: '/', domain: 'shop.localhost' }
  const web = { key: 'shop:web', name: 'web', type: 'exec', project }
  const lookup = (service: string, field: string) => `${service}.${field}`
  const db = { name: 'db', type: 'postgres' }
  const context = (dependencies: { name: string; type: string }[], own: readonly string[] = []) => ({
    dir: '/',
    reach: 'host' as const,
    dependencies,
    isOwn: (name: string) => own.includes(name),
    lookup,
  })
  const misleading = [
    ...[
      'PGSERVICE',
      'PGHOSTADDR',
      'PGSSLMODE',
      'PGOPTIONS',
      'PGGSSENCMODE',
      'PGCHANNELBINDING',
      'PGTARGETSESSIONATTRS',
    ],
    ...[
      'PGREQUIREAUTH',
      'PGREQUIREPEER',
      'PGREQUIRESSL',
      'PGSYSCONFDIR',
      'PGSERVICEFILE',
      'PGPASSFILE',
      'PGSSLNEGOTIATION',
    ],
  ]
  const elsewhere = Object.fromEntries(misleading.map(name => [name, 'production']))
  const shell = { DATABASE_URL: 'production', PGHOST: 'production', ...elsewhere }
  t.strictSame(addClientVariables(shell, web, context([{ name: 'cache', type: 'container' }, db])), {
    ...{ DATABASE_URL: 'db.url', PGHOST: 'db.host', PGPORT: 'db.port', PGUSER: 'db.user' },
    ...{ PGPASSWORD: 'db.password', PGDATABASE: 'db.database' },
  })
  const kept = { PGAPPNAME: 'mine', PGTZ: 'UTC', PG_COLOR: 'auto', PGWEB_URL: 'x' }
  t.match(addClientVariables({ ...shell, ...kept }, web, context([db])), kept, 'what leads nowhere else stays')
  t.match(addClientVariables(shell, web, context([db], ['PGOPTIONS'])), { PGHOST: 'db.host', PGOPTIONS: 'production' })
  t.strictSame(addClientVariables(shell, web, context([])), shell, 'not of those that do not depend on one')
  t.strictSame(
    addClientVariables(shell, web, context([db, { ...db, name: 'db2' }])),
    shell,
    'not where it is not clear which',
  )
  const own = addClientVariables(shell, web, context([db], ['DATABASE_URL', 'PGHOST']))
  t.strictSame(own, shell, "the project's own stay, PG* all of them")
  const part = { ...elsewhere, PGHOST: 'production', PGPORT: '1', PGUSER: 'app', PGDATABASE: 'shop' }
  t.strictSame(
    addClientVariables(part, web, context([db], ['PGUSER', 'PGDATABASE'])),
    {
      ...{ DATABASE_URL: 'db.url', PGHOST: 'db.host', PGPORT: 'db.port', PGUSER: 'app' },
      ...{ PGPASSWORD: 'db.password', PGDATABASE: 'shop' },
    },
    'who sets a user or a database alone does not get to the server of the shell',
  )
  t.match(addClientVariables({}, { ...web, name: 'db', type: 'postgres' }, context([])), { PGHOST: 'db.host' })
})
