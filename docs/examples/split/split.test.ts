import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { connectNotes } from './client/client.ts'
import { serveNotes } from './server/serve.ts'

test('the client calls the server', async () => {
  await using server = await serveNotes()
  await using notes = connectNotes(server.addresses[0] ?? '')
  expect(await notes.add({ text: 'milk' })).toBe(1)
  expect(await notes.import(undefined, ['bread', 'butter'])).toEqual({ added: 2 })
  const texts: string[] = []
  for await (const { text } of notes.all()) texts.push(text)
  expect(texts).toEqual(['milk', 'bread', 'butter'])
  await expect(notes.add({ text: '' })).rejects.toMatchObject({ code: 'invalid_argument' })
})

test.each([
  { from: 'types', finds: ['split-types'] },
  { from: 'server', finds: ['split-types', 'split-server'] },
  { from: 'client', finds: ['split-types', 'split-client'] },
])('what $from can import of the three', ({ from, finds }) => {
  const find = `['split-types', 'split-server', 'split-client'].filter((name) => {
    try { return import.meta.resolve(name) } catch { return false }
  })`
  const cwd = fileURLToPath(new URL(from, import.meta.url))
  const program = `console.log(JSON.stringify(${find}))`
  const found = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd, encoding: 'utf8' })
  expect(JSON.parse(found)).toEqual(finds)
})
