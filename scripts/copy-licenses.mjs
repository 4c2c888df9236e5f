// Puts the licenses beside what is packed: npm takes nothing from outside the folder of a package, and no links.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(join('../..', name), name)
