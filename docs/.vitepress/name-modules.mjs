import { readFileSync } from 'node:fs'
import { Comment, Converter } from 'typedoc'

const RELAY = 'For the process that the conformance kit forks: serves its listeners to the other one'

/** A module of the reference is named as it is imported, and described as its package is. */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const module of context.project.children ?? []) {
      const [name, entry] = module.name
        .replace('/src', '')
        .replace(/\/index$/, '')
        .split('/')
      module.name = ['@qrpc', name, entry].filter(Boolean).join('/')
      module.comment ??= new Comment([{ kind: 'text', text: entry === undefined ? descriptionOf(name) : RELAY }])
    }
  })
}

function descriptionOf(name) {
  const file = new URL(`../../packages/${name}/package.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).description
}
