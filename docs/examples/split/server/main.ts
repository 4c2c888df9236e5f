import { once } from 'node:events'
import { serveNotes } from './serve.ts'

await using server = await serveNotes({ port: Number(process.env.PORT ?? 8080) })
console.log(`serving at ${server.addresses[0]}`)
await once(process, 'SIGINT')
