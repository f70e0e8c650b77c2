/** Workers of which web waits for api, api for db and the exit of seed, and seed for db; alone has no dependency. */
export const graphProject = {
  'locald.toml': `[project]
name = "shop"
[services.web]
type = "worker"
command = "exec sleep 1000"
depends_on = ["api"]
[services.api]
type = "worker"
command = "exec sleep 1000"
depends_on = { seed = "completed", db = "ready" }
[services.seed]
type = "worker"
command = "sleep 1.2"
depends_on = ["db"]
[services.db]
type = "worker"
command = "exec sleep 1000"
[services.alone]
type = "worker"
command = "exec sleep 1000"
`,
}
