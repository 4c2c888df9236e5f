// tsc leaves the outputs of deleted sources behind, and they would be published.
import { rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
