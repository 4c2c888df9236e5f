import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '@qrpc/core'
import { expect, test } from 'vitest'
import { Authority } from '../auth-mtls/authority.ts'
import { Program } from '../program.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { consume } from './consumer.ts'
import { Search } from './contract.ts'
import { inChildProcess, inProcess, onMachine, type Place } from './places.ts'

const OUTCOME = [
  'there are 500 pages',
  'found Page 1, Page 3, Page 5',
  'no search is running',
  'not_found: page 7; similar: Page 7',
  'odd',
  'works for Ada',
  'works for nobody',
]

async function consumeAt(place: Place): Promise<readonly string[]> {
  return consume(createClient(Search, place.connector))
}

test('in the same process', async () => {
  await using place = inProcess()
  expect(await consumeAt(place)).toEqual(OUTCOME)
})

test('in a child process', async () => {
  await using place = await inChildProcess()
  expect(await consumeAt(place)).toEqual(OUTCOME)
}, 60_000)

// Another process stands in for it.
test('on another machine, over TLS', async () => {
  const authority = await Authority.create('our authority')
  const { key, cert, ca } = await authority.issue('search')
  await using directory = await temporaryDirectory()
  const files = { KEY: join(directory.path, 'key.pem'), CERT: join(directory.path, 'cert.pem') }
  await Promise.all([writeFile(files.KEY, key), writeFile(files.CERT, cert)])
  await using machine = new Program(new URL('serve.ts', import.meta.url), files)
  const address = await machine.line()
  expect(address).toMatch(/^https:/)

  await using place = onMachine(address, ca)
  expect(await consumeAt(place)).toEqual(OUTCOME)

  const stranger = await Authority.create('somebody')
  await using wrong = onMachine(address, (await stranger.issue('search')).ca)
  await expect(consumeAt(wrong)).rejects.toMatchObject({ code: 'unavailable' })
}, 60_000)
