import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

/**
 * Links to files of the repository that are no pages of the site become plain text; one to a file that is not there
 * fails the build, as VitePress has it for pages.
 */
export function outsideLinks(md: MarkdownRenderer, docs: string): void {
  md.core.ruler.push('outside-links', ({ tokens, env }) => {
    for (const { children } of tokens) {
      let outside = false
      for (const token of children ?? []) {
        if (token.type === 'link_open') outside = isOutside(token.attrGet('href') ?? '', docs, env.relativePath)
        if (!outside) continue
        if (token.type === 'link_open' || token.type === 'link_close') {
          token.tag = 'span'
          token.attrs = null
          // The renderer of VitePress takes these for links.
          token.type = token.type === 'link_open' ? 'outside_open' : 'outside_close'
        }
        if (token.type === 'outside_close') outside = false
      }
    }
  })
}

function isOutside(href: string, docs: string, page: string): boolean {
  if (/^(\w+:|#)/.test(href)) return false
  const path = href.replace(/#.*/, '')
  const file = path.startsWith('/') ? join(docs, path) : join(docs, page, '..', path)
  const place = relative(docs, file)
  if (!place.startsWith('..') && !place.startsWith('examples')) return false
  if (!existsSync(file)) throw new Error(`${page} links to ${href}, which is not there`)
  return true
}
