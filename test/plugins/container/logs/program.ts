/** A daemon's part in following a container, to be killed: `node program.js '{"folder", "file", …}'`. */
import { ServiceLog } from '../../../../kernel/logs/service-log.ts'
import { followLog } from '../../../../plugins/container/logs/follow-log.ts'
import { fakeEngine } from '../fake-engine.ts'

const { folder, file, container, command, isNew } = JSON.parse(process.argv[2] ?? '')
const follower = followLog({
  engine: fakeEngine(command),
  container,
  file,
  log: new ServiceLog(folder),
  isNew,
  signal: new AbortController().signal,
})
console.log('following')
process.stdin.once('data', () => {
  void follower.drained().then(() => {
    console.log('drained')
    process.stdin.destroy()
  })
})
