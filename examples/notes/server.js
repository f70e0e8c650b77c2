import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { desc } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { notes } from './schema.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
// A branch or a restore disconnects: the pool connects again.
pool.on('error', error => console.error(error.message))
const db = drizzle(pool)

// POST a text to write it down; GET shows the last of them.
const server = createServer(async (request, response) => {
  try {
    if (request.method === 'POST') await db.insert(notes).values({ text: await text(request) })
    const rows = await db.select().from(notes).orderBy(desc(notes.id)).limit(20)
    response.setHeader('content-type', 'application/json').end(`${JSON.stringify(rows, null, 2)}\n`)
  } catch (error) {
    console.error(error)
    response.writeHead(500).end('the database does not answer\n')
  }
})
server.listen(process.env.PORT, '127.0.0.1')
