import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** All Markdown of a folder, but for what is installed, built or generated. */
function markdownIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || ['node_modules', 'dist', 'api', 'coverage'].includes(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return markdownIn(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

const texts = new Map(markdownIn(root).map((file) => [file, readFileSync(file, 'utf8')]))

/** The anchors of a page's headings, as hosts of Markdown and VitePress both make them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return new Set(headings.map((heading) => anchorOf(heading.replace(/[`*]|\]\(.*?\)|\[/g, ''))))
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s+/g, '-')
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''))
}

function brokenLinks(file: string, markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/\]\((?!\w+:)([^)\s]*)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => {
      const [path = '', anchor] = target.split('#')
      const to = path === '' ? file : join(dirname(file), path)
      // The reference is generated; the build of the site looks after it.
      if (relative(join(root, 'docs/api'), to).split('/')[0] !== '..') return false
      if (!existsSync(to)) return true
      return anchor !== undefined && !anchorsOf(texts.get(to) ?? '').has(anchor)
    })
}

test.each([...texts.keys()].map((file) => relative(root, file)))('the links of %s lead somewhere', (name) => {
  const file = join(root, name)
  expect(brokenLinks(file, texts.get(file) ?? '')).toEqual([])
})
