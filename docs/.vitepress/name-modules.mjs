import { Converter } from 'typedoc'

/** A module of the reference is named as it is imported. */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const module of context.project.children ?? []) {
      module.name = `@qrpc/${module.name.replace('/src', '').replace(/\/index$/, '')}`
    }
  })
}
