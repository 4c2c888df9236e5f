import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

type Token = ReturnType<MarkdownRenderer['parse']>[number]

/**
 * Links to files of the repository that are no pages of the site become plain text, and a link to source that is a
 * paragraph by itself the source. One to a file that is not there fails the build, as VitePress has it for pages.
 */
export function outsideLinks(md: MarkdownRenderer, docs: string): void {
  md.core.ruler.push('outside-links', (state) => {
    const page: string = state.env.relativePath
    const fileOf = (token: Token): string | undefined => outsideFile(token.attrGet('href') ?? '', docs, page)
    const tokens: Token[] = []
    let code: Token | undefined
    for (const token of state.tokens) {
      const source = sourceAlone(token, fileOf)
      for (const child of token.children ?? []) if (child.type === 'link_open' && fileOf(child)) unlink(token, child)
      tokens.push(token)
      if (source !== undefined) {
        code = new state.Token('fence', 'code', 0)
        Object.assign(code, { info: 'ts', markup: '```', content: readFileSync(source, 'utf8'), block: true })
      } else if (code !== undefined) {
        // Behind the end of the paragraph.
        tokens.push(code)
        code = undefined
      }
    }
    state.tokens = tokens
  })
}

/** The file of a paragraph that is a link to TypeScript and nothing else. */
function sourceAlone(token: Token, fileOf: (link: Token) => string | undefined): string | undefined {
  const [first, , last] = token.children ?? []
  if (token.children?.length !== 3 || first?.type !== 'link_open' || last?.type !== 'link_close') return undefined
  const file = fileOf(first)
  return file?.endsWith('.ts') ? file : undefined
}

/** The renderer of VitePress takes what is called a link for one. */
function unlink({ children }: Token, open: Token): void {
  const close = children?.slice(children.indexOf(open)).find(({ type }) => type === 'link_close')
  for (const token of [open, close]) {
    if (token === undefined) continue
    token.type = token === open ? 'outside_open' : 'outside_close'
    token.tag = 'span'
    token.attrs = null
  }
}

/** The file that a link leads to, where that is no page of the site. */
function outsideFile(href: string, docs: string, page: string): string | undefined {
  if (/^(\w+:|#)/.test(href)) return undefined
  const path = href.replace(/#.*/, '')
  const file = path.startsWith('/') ? join(docs, path) : join(docs, page, '..', path)
  const place = relative(docs, file)
  if (!place.startsWith('..') && !place.startsWith('examples')) return undefined
  if (!existsSync(file)) throw new Error(`${page} links to ${href}, which is not there`)
  return file
}
