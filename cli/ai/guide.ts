/** How an agent uses locald, for `locald ai context` and the skill. A test parses every command in it. */
export const guide = `- Start with \`locald up\`: it returns when every service is ready, or prints what failed, the last lines and likely causes. It starts nothing twice; do not start dev servers yourself.
- Use the URLs of \`locald status\` (\`--json\` for programs). Ports are assigned: never guess or hard-code them; a service reads its own from $PORT.
- After a change that is not reloaded, run \`locald restart SERVICE\`.
- When something does not work: \`locald why SERVICE\`, then \`locald logs SERVICE -n 50\`, then \`locald requests --status 5xx\` and \`locald requests show ID\`.
- Tests and migrations need a service's environment: \`locald run SERVICE -- CMD\`.
- Check a behaviour in one step: \`locald expect --request "POST /pay 2xx" --log paid -- CMD\`.
- Services are defined in locald.toml; \`locald ai schema\` prints its JSON schema, \`locald config check\` checks it.
- Stop only what you started: others may be using the rest. \`locald service reset\` deletes data: ask first.`
