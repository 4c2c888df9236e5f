import { createClient } from '@qrpc/core'
import { consume } from './consumer.ts'
import { Search } from './contract.ts'
import { inChildProcess } from './places.ts'

// This is the line to change: `inProcess()`, `await inChildProcess()`, `onMachine('https://search.example:8443', ca)`.
await using place = await inChildProcess()

for (const line of await consume(createClient(Search, place.connector))) console.log(line)
