import { connectNotes } from './client.ts'

const [address = 'http://127.0.0.1:8080', ...texts] = process.argv.slice(2)
await using notes = connectNotes(address)
for (const text of texts) console.log('added as', await notes.add({ text }))
for await (const { id, text } of notes.all()) console.log(id, text)
