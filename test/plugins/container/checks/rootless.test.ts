import t from 'tap'
import { checkRootless } from '../../../../plugins/container/checks/rootless.ts'
import { machineOf, writeProgram } from '../engines/machine.ts'

t.test('ranges of ids are read from subuid and subgid', async t => {
  const check = async (subuid: string, subgid = subuid, nsswitch = 'passwd: files\n') => {
    const home = t.testdir({ etc: { subuid, subgid, 'nsswitch.conf': nsswitch } })
    writeProgram(home, 'newuidmap', '')
    const env = { PATH: writeProgram(home, 'podman', '') }
    return await checkRootless(machineOf({ home, env }), { name: 'me', uid: 1000, root: home })
  }
  t.match(await check('other:100000:65536\nme:165536:65536\n'), { status: 'pass' })
  t.match(await check('1000:165536:65536\n'), { status: 'pass' }, 'by the number of the user')
  t.match(await check('me:100000:32768\nme:200000:32768\n'), { status: 'pass' }, 'two ranges add up')
  t.match(await check('other:100000:65536\n'), {
    status: 'warn',
    summary: 'Rootless containers: me has no range in /etc/subuid',
    fix: /^Run `sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 me`:/,
  })
  t.match(await check('me:100000:65536\n', ''), { summary: /no range in \/etc\/subgid/ })
  t.match(await check('me:100000:1000\n'), { summary: /me has 1000 ids in .*need 65536/ })
  t.match(await check('me:100000:65536\nother:120000:65536\n'), { summary: /overlaps that of other/ })
  t.match(await check('', '', 'subid: sss\n'), { status: 'pass' }, 'a name service has them')
})

t.test('rootless containers are not checked for root, and not without podman', async t => {
  const home = t.testdir({ etc: {} })
  const without = machineOf({ home, env: { PATH: '/nowhere' } })
  t.match(await checkRootless(without, { name: 'me', uid: 1000, root: home }), { status: 'skip' })
  const env = { PATH: writeProgram(home, 'podman', '') }
  t.match(await checkRootless(machineOf({ home, env }), { name: 'root', uid: 0, root: home }), { status: 'pass' })
})
