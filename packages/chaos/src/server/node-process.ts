import { openSync, writeSync } from 'node:fs'
import { serve } from '@qrpc/core'
import { Chaos } from '../contract.ts'
import { listen, type Place } from '../transports.ts'
import { chaosHandlers, chaosServing } from './handlers.ts'
import type { Journal } from './journal.ts'

/** What the process of a server is told. */
export interface NodeSettings {
  readonly place: Place
  /** The file that it writes its journal to. */
  readonly journal: string
}

/** One line of the journal. */
export type Entry = readonly ['started' | 'ended', number] | readonly ['wrong', string]

const settings = JSON.parse(process.argv[2] as string) as NodeSettings
const file = openSync(settings.journal, 'a')
// What is written stays, also when the process is killed in the next instant.
const write = (entry: Entry): void => void writeSync(file, `${JSON.stringify(entry)}\n`)
const journal: Journal = {
  started: (id) => write(['started', id]),
  ended: (id) => write(['ended', id]),
  wrong: (what) => write(['wrong', what]),
}
process.on('unhandledRejection', (reason) => journal.wrong(`a rejection was left unhandled: ${String(reason)}`))
process.on('uncaughtException', (error) => journal.wrong(`an exception was left uncaught: ${error.stack}`))
process.on('disconnect', () => process.exit())
const server = serve(Chaos, chaosHandlers(journal), await listen(settings.place), chaosServing(journal))
process.on('message', (graceMs: number) => {
  void server.close({ graceMs }).then(() => process.exit())
})
process.send?.(server.addresses[0])
