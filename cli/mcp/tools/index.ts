import type { AnyTool } from '../tool.ts'
import { doctor } from './doctor.ts'
import { logs } from './logs.ts'
import { requests } from './requests.ts'
import { run } from './run.ts'
import { status } from './status.ts'
import { stop } from './stop.ts'
import { restart, up, wait } from './up.ts'
import { why } from './why.ts'

/** Every tool, in the order in which clients list them. */
export const tools: readonly AnyTool[] = [status, up, wait, restart, stop, logs, why, run, requests, doctor]
