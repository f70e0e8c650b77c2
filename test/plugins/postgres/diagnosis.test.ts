import t from 'tap'
import { diagnose } from '../../../plugins/postgres/server/diagnosis.ts'

t.test('distinguishes missing shared memory from a full disk', t => {
  // As PostgreSQL 18 says it on macOS, where 32 segments are there for all programs (kern.sysv.shmmni).
  const lines = [
    'FATAL:  could not create shared memory segment: No space left on device',
    'DETAIL:  Failed system call was shmget(key=123, size=56, 03600).',
  ]
  t.match(diagnose('shop:db', lines), { message: /no shared memory segment left/, hint: /ipcs -m.*ipcrm -m/ })
  const full = ['PANIC:  could not write to file "pg_wal/xlogtemp.1": No space left on device']
  t.match(diagnose('shop:db', full), { message: /disk full/ })
  t.end()
})
