/** What `locald ai` prints and writes for agents, a part of the bundle of its own. */
export { printContext } from './context.ts'
export { printMcpConfig } from './mcp-config.ts'
export { writeSkill } from './skill.ts'
