import type { Handlers } from '@qrpc/core'
import { Disk } from './contract.ts'

const MOST_FILES = 100

/** @param size Characters that the disk has room for. */
export function diskHandlers(size: number): Handlers<typeof Disk> {
  const files = new Map([['README', 'This file cannot be written.']])
  let free = size

  return {
    write({ name, text }) {
      if (name === 'README') throw Disk.write.error('ReadOnly', { name })
      const room = free + (files.get(name)?.length ?? 0)
      if (text.length > room) throw Disk.write.error('NoSpace', { free: room })
      // A bug, which is nobody's business but ours: the client sees `internal`, and `onError` sees it all.
      if (name.includes('/')) throw new TypeError(`no directory for ${name} in /srv/disk-7`)
      free = room - text.length
      files.set(name, text)
    },

    *readAll(names) {
      if (names.length > MOST_FILES) throw Disk.readAll.error('TooMany', { most: MOST_FILES })
      for (const [after, name] of names.entries()) {
        if (name === 'EJECT') throw Disk.readAll.error('Ejected', { after })
        const text = files.get(name)
        yield text === undefined ? { outcome: 'missing', name } : { outcome: 'read', name, text }
      }
    },
  }
}
