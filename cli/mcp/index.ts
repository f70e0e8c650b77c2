/** The MCP server, a part of the bundle of its own. */
export { serveMcp } from './serve.ts'
