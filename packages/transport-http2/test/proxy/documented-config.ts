import { readFileSync } from 'node:fs'

const PAGE = readFileSync(new URL('../../../../docs/proxies.md', import.meta.url), 'utf8')

/**
 * The config that docs/proxies.md shows under a heading, with addresses, paths and the like replaced by those of a test.
 *
 * @throws Error for a replacement that the config has no place for: page and test have come apart.
 */
export function documentedConfig(heading: string, replacements: Readonly<Record<string, string>>): string {
  let config = PAGE.split(`\n${heading}\n`)[1]?.match(/```\w+\n(.*?)```/s)?.[1]
  if (config === undefined) throw new Error(`docs/proxies.md has no config under ${heading}`)
  for (const [documented, replacement] of Object.entries(replacements)) {
    if (!config.includes(documented)) throw new Error(`the config under ${heading} has no ${documented}`)
    config = config.replaceAll(documented, replacement)
  }
  return config
}
