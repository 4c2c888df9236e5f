import shared from '../../vitest.shared.ts'

// What the API exports under `module` is for bundlers: Node.js cannot load it.
const conditions = ['@qrpc/source', 'node', 'development|production']

export default { ...shared, ssr: { resolve: { conditions, externalConditions: conditions } } }
