import type { Client } from '@qrpc/core'
import { Search } from './contract.ts'

/** What a program does with the service, wherever that is: adds pages, searches, leaves early, and meets an error. */
export async function consume(search: Client<typeof Search>): Promise<readonly string[]> {
  const log: string[] = []
  const pages = Array.from({ length: 500 }, (_, i) => ({ title: `Page ${i}`, text: i % 2 === 0 ? 'even' : 'odd' }))
  log.push(`there are ${await search.add(undefined, pages)} pages`)

  const titles: string[] = []
  for await (const title of search.find('odd')) {
    if (titles.push(title) === 3) break
  }
  log.push(`found ${titles.join(', ')}`)
  // The search has no end of its own: it ends at the server because the loop was left.
  for await (const running of search.running()) if (running === 0) break
  log.push('no search is running')

  for await (const title of search.find('neither')) log.push(title)
  try {
    await search.page('page 7')
  } catch (error) {
    if (!Search.page.isError(error, 'NotFound')) throw error
    log.push(`${error.code}: ${error.data.title}; similar: ${error.data.similar.join(', ')}`)
  }
  log.push((await search.page('Page 7')).text)
  log.push(`works for ${await search.forWhom(undefined, { metadata: { User: 'Ada' } })}`)
  log.push(`works for ${await search.forWhom()}`)
  return log
}
